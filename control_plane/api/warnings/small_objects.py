"""Warnings of nodes, quotas, secrets, service accounts and runtime classes.

Called through the WARNINGS table. Source: v1.35 registry strategies of core and node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api import quantity
from control_plane.api.certificate_pem import key_pair_trouble
from control_plane.api.objects import annotations_of, dig
from control_plane.api.warnings.addresses import warn_of_range
from control_plane.api.warnings.node_labels import DEPRECATED_LABELS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.objects import Object

_MOUNTABLE: Final = "kubernetes.io/enforce-mountable-secrets"
_COMPARED: Final = ("cpu", "memory", "ephemeral-storage")


def warn_of_node(node: Object) -> Iterator[str]:
    """Warn of a Node."""
    spec = node.get("spec") or {}
    if spec.get("configSource") is not None:
        yield "spec.configSource: the feature is removed"
    if spec.get("externalID"):
        yield "spec.externalID: this field is deprecated, and is unused by Kubernetes"
    for index, text in enumerate(spec.get("podCIDRs") or ()):
        yield from warn_of_range(text, f"spec.podCIDRs[{index}]")


def warn_of_quota(quota: Object) -> Iterator[str]:
    """Warn of a ResourceQuota that allows more requests than limits."""
    hard = dig(quota, "spec", "hard", default={})
    for name in _COMPARED:
        request, limit = hard.get(f"requests.{name}"), hard.get(f"limits.{name}")
        if request is None or limit is None:
            continue
        if quantity.parse(str(request)) > quantity.parse(str(limit)):
            yield (
                f"ResourceQuota requests.{name} ({request}) should be less than "
                f"limits.{name} ({limit})"
            )


def warn_of_secret(secret: Object) -> Iterator[str]:
    """Warn of a certificate and a key that do not belong together."""
    if secret.get("type") != "kubernetes.io/tls":
        return
    data = secret.get("data") or {}
    trouble = key_pair_trouble(data.get("tls.crt") or "", data.get("tls.key") or "")
    if trouble:
        yield trouble


def warn_of_new_account(account: Object) -> Iterator[str]:
    """Warn of a new ServiceAccount."""
    if _MOUNTABLE in annotations_of(account):
        yield (
            f"metadata.annotations[{_MOUNTABLE}]: deprecated in v1.32+; prefer separate "
            "namespaces to isolate access to mounted secrets"
        )


def warn_of_changed_account(new: Object, old: Object) -> Iterator[str]:
    """Warn of a ServiceAccount that gains the annotation."""
    if _MOUNTABLE not in annotations_of(old):
        yield from warn_of_new_account(new)


def warn_of_runtime_class(runtime_class: Object) -> Iterator[str]:
    """Warn of a RuntimeClass."""
    for key in sorted(dig(runtime_class, "scheduling", "nodeSelector", default=())):
        if key in DEPRECATED_LABELS:
            yield f"scheduling.nodeSelector: {DEPRECATED_LABELS[key]}"
