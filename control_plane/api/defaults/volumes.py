"""Defaults of volume sources, those of pods and those of persistent volumes.

VOLUME_SOURCES is the table: one row per source with a default. Called by pod_spec.py and
storage.py. Source: v1.35 core/v1 defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.defaults.filling import fill_absent, fill_empty
from control_plane.api.defaults.image_names import pull_policy
from control_plane.api.defaults.resource_lists import rounded
from control_plane.api.objects import parts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from control_plane.api.objects import Object

DEFAULT_MODE: Final = 0o644


def default_volume(volume: Object) -> None:
    """Fill one pod volume; a volume without any source becomes an emptyDir."""
    if not any(value is not None for field, value in volume.items() if field != "name"):
        volume["emptyDir"] = {}
    default_volume_source(volume)


def default_volume_source(owner: Object) -> None:
    """Fill the source that `owner` (a pod volume or a persistent volume's spec) names."""
    for field, fill in VOLUME_SOURCES.items():
        source = owner.get(field)
        if isinstance(source, dict):
            fill(source)


def _mode(source: Object) -> None:
    fill_absent(source, "defaultMode", DEFAULT_MODE)


def _field_references(source: Object) -> None:
    for reference in parts(source, "items", "fieldRef"):
        fill_empty(reference, "apiVersion", "v1")


def _downward_api(source: Object) -> None:
    _mode(source)
    _field_references(source)


def _projected(source: Object) -> None:
    _mode(source)
    for downward in parts(source, "sources", "downwardAPI"):
        _field_references(downward)
    for token in parts(source, "sources", "serviceAccountToken"):
        fill_absent(token, "expirationSeconds", 3600)


def _image(source: Object) -> None:
    fill_empty(source, "pullPolicy", pull_policy(str(source.get("reference") or "")))


def _empty_dir(source: Object) -> None:
    if source.get("sizeLimit") is not None:
        source["sizeLimit"] = rounded(source["sizeLimit"])


def _claim_template(source: Object) -> None:
    for spec in parts(source, "volumeClaimTemplate", "spec"):
        fill_absent(spec, "volumeMode", "Filesystem")


def _empty_fields(**defaults: Any) -> Callable[[Object], None]:
    def fill(source: Object) -> None:
        for field, value in defaults.items():
            fill_empty(source, field, value)

    return fill


def _absent_fields(**defaults: Any) -> Callable[[Object], None]:
    def fill(source: Object) -> None:
        for field, value in defaults.items():
            fill_absent(source, field, value)

    return fill


VOLUME_SOURCES: Final[Mapping[str, Callable[[Object], None]]] = {
    "emptyDir": _empty_dir,
    "secret": _mode,
    "configMap": _mode,
    "downwardAPI": _downward_api,
    "projected": _projected,
    "image": _image,
    "ephemeral": _claim_template,
    "hostPath": _absent_fields(type=""),
    "iscsi": _empty_fields(iscsiInterface="default"),
    "rbd": _empty_fields(pool="rbd", user="admin", keyring="/etc/ceph/keyring"),
    "azureDisk": _absent_fields(
        cachingMode="ReadWrite", fsType="ext4", readOnly=False, kind="Shared"
    ),
    "scaleIO": _empty_fields(storageMode="ThinProvisioned", fsType="xfs"),
}
