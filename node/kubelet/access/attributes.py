"""What a request to the kubelet needs to be allowed: a verb on subresources of its node. Pure.

Source: the attributes of kubelet v1.35 with KubeletFineGrainedAuthz.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_VERBS: Final[Mapping[str, str]] = {
    "POST": "create",
    "GET": "get",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
# these alone are asked about
_ONE: Final[Mapping[str, str]] = {
    "/stats": "stats",
    "/metrics": "metrics",
    "/logs": "log",
    "/checkpoint": "checkpoint",
    "/statusz": "statusz",
    "/flagz": "configz",
}
# these first, and then `proxy`, which all others need
_FINE: Final[Mapping[str, str]] = {
    "/pods": "pods",
    "/runningpods": "pods",
    "/healthz": "healthz",
    "/configz": "configz",
}


class Asked(NamedTuple):
    """A verb, "" for a method that has none, and the subresources any of which is enough."""

    verb: str
    subresources: tuple[str, ...]


def asked(method: str, path: str) -> Asked:
    """What the request needs."""
    verb = _VERBS.get(method, "")
    one = _below(_ONE, path)
    if one is not None:
        return Asked(verb, (one,))
    fine = _below(_FINE, path)
    return Asked(verb, ("proxy",) if fine is None else (fine, "proxy"))


def _below(subresources: Mapping[str, str], path: str) -> str | None:
    for root, subresource in subresources.items():
        if path == root or path.startswith(f"{root}/"):
            return subresource
    return None
