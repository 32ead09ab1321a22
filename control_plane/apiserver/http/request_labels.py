"""What a request for a resource is counted under in /metrics. Pure.

Source: the instrumentation of kube-apiserver v1.35.
"""

import functools
from typing import Final

from control_plane.api.patch import is_apply
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.target import Target
from control_plane.apiserver.metrics.requests import READS, RequestLabels

CONNECTED: Final = frozenset({"attach", "exec", "portforward", "proxy"})
MAX_REMEMBERED = 4096  # of labels; there are more only where every verb is called
_VERBS: Final = {
    "get": "GET",
    "list": "LIST",
    "watch": "WATCH",
    "create": "POST",
    "update": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
    "deletecollection": "DELETECOLLECTION",
}


def labels_of(request: Request, target: Target, verb: str) -> RequestLabels:
    """The labels of a request with an API verb; methods without one count as "other"."""
    name = _VERBS.get(verb, "other")
    if target.subresource in CONNECTED:
        name = "CONNECT"
    elif verb == "patch" and is_apply(request.header(b"content-type")):
        name = "APPLY"
    resource = target.resource
    return _labels(
        name,
        _dry_run(request) if name not in READS else "",
        resource.group,
        resource.version,
        resource.plural,
        target.subresource,
        _scope(target, verb),
    )


@functools.lru_cache(maxsize=MAX_REMEMBERED)
def _labels(*values: str) -> RequestLabels:
    return RequestLabels(*values)


def _dry_run(request: Request) -> str:
    values = request.query.texts("dryRun")
    if not values:
        return ""
    return "All" if set(values) == {"All"} else "invalid"


def _scope(target: Target, verb: str) -> str:
    if target.name or verb == "create":
        return "resource"
    return "namespace" if target.namespace else "cluster"
