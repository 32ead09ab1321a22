"""Warnings of volumes, claims and what storage comes from.

Called through the WARNINGS table. Source: v1.35 registry strategies of core and storage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.objects import annotations_of, dig
from control_plane.api.warnings.containers import warn_of_fractions
from control_plane.api.warnings.node_labels import (
    DEPRECATED_LABELS,
    warn_of_label_selector,
    warn_of_terms,
)
from control_plane.api.warnings.pod_volumes import warn_of_sources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.objects import Object

_CLASS: Final = "volume.beta.kubernetes.io/storage-class"
_OPTIONS: Final = "volume.beta.kubernetes.io/mount-options"


def warn_of_volume(volume: Object) -> Iterator[str]:
    """Warn of a PersistentVolume."""
    spec, annotations = volume.get("spec") or {}, annotations_of(volume)
    yield from _warn_of_class(annotations)
    if _OPTIONS in annotations:
        yield (
            f"metadata.annotations[{_OPTIONS}]: deprecated since v1.31; use "
            '"mountOptions" attribute instead'
        )
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        yield (
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. "
            "Instead, the recommended approach is to use dynamic provisioning."
        )
    terms = dig(spec, "nodeAffinity", "required", "nodeSelectorTerms")
    yield from warn_of_terms(terms, "spec.nodeAffinity.required.nodeSelectorTerms")
    yield from warn_of_sources(spec, "spec")


def _warn_of_class(annotations: dict[str, str]) -> Iterator[str]:
    if _CLASS in annotations:
        yield (
            f"metadata.annotations[{_CLASS}]: deprecated since v1.8; use "
            '"storageClassName" attribute instead'
        )


def warn_of_claim(claim: Object) -> Iterator[str]:
    """Warn of a PersistentVolumeClaim."""
    yield from _warn_of_class(annotations_of(claim))
    for field in ("requests", "limits"):
        amounts = dig(claim, "spec", "resources", field)
        yield from warn_of_fractions(amounts, ("storage",), f"spec.resources.{field}")


def warn_of_storage_class(storage_class: Object) -> Iterator[str]:
    """Warn of a StorageClass."""
    for index, term in enumerate(storage_class.get("allowedTopologies") or ()):
        for position, expression in enumerate(term.get("matchLabelExpressions") or ()):
            text = DEPRECATED_LABELS.get(expression.get("key") or "")
            if text:
                path = f"allowedTopologies[{index}].matchLabelExpressions[{position}].key"
                yield f"{path}: {text}"


def warn_of_capacity(capacity: Object) -> Iterator[str]:
    """Warn of a CSIStorageCapacity."""
    yield from warn_of_label_selector(capacity.get("nodeTopology"), "nodeTopology")


def warn_of_driver(driver: Object) -> Iterator[str]:
    """Warn of a CSIDriver that is given tokens where they may be logged."""
    spec = driver.get("spec") or {}
    if spec.get("tokenRequests") and spec.get("serviceAccountTokenInSecrets") is None:
        yield (
            "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to "
            "true to prevent possible logging of tokens in volume attributes"
        )
