"""Rules of the in-tree drivers' volume sources, which pods and persistent volumes share.

DRIVERS is the table; what a source cannot do without is in volume_sources.py. Called by volumes.py
and storage.py. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    invalid,
    invalid_each,
    not_supported,
    one_of,
    required,
)
from control_plane.api.validation.paths import validate_no_backsteps, validate_relative_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

SHOWN_AS: Final = {"gcePersistentDisk": "persistentDisk"}
"""Sources that errors about their content call by another name than their field's."""
_INITIATORS: Final = {
    "iqn": re.compile(r"iqn\.\d{4}-\d{2}\.([A-Za-z0-9.-]+)(:[^,;*&$|\s]+)\Z", re.ASCII),
    "eui": re.compile(r"\Aeui.[A-Za-z0-9]{16}\Z"),
    "naa": re.compile(r"\Anaa.[A-Za-z0-9]{32}\Z"),
}
_MAX_TENANT_BYTES: Final = 64
_HOST_PORTS: Final = "must be a host:port pair or multiple pairs separated by commas"
_CACHING_MODES: Final = ("None", "ReadOnly", "ReadWrite")
_DISK_KINDS: Final = ("Dedicated", "Managed", "Shared")
_MANAGED_DISK: Final = (
    "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/"
    "{disk-id}"
)
_BLOB_DISK: Final = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"


def _git_repo(source: Object, path: str) -> Iterator[FieldError]:
    yield from validate_relative_path(source.get("directory") or "", f"{path}.directory")


def _nfs(source: Object, path: str) -> Iterator[FieldError]:
    if source.get("path") and not source["path"].startswith("/"):
        yield invalid(f"{path}.path", source["path"], "must be an absolute path")


def _partition(source: Object, path: str) -> Iterator[FieldError]:
    number = source.get("partition") or 0
    if not 0 <= number <= 255:
        yield invalid(f"{path}.partition", number, formats.in_range(1, 255))


def _iscsi(source: Object, path: str) -> Iterator[FieldError]:
    if source.get("iqn"):
        yield from _validate_initiator(source["iqn"], f"{path}.iqn")
    lun = source.get("lun") or 0
    if not 0 <= lun <= 255:
        yield invalid(f"{path}.lun", lun, formats.in_range(0, 255))
    chap = source.get("chapAuthDiscovery") or source.get("chapAuthSession")
    if chap and source.get("secretRef") is None:
        yield required(f"{path}.secretRef")
    if source.get("initiatorName") is not None:
        yield from _validate_initiator(source["initiatorName"], f"{path}.initiatorname")


def _validate_initiator(name: str, path: str) -> Iterator[FieldError]:
    pattern = _INITIATORS.get(name[:3])
    if pattern is None:
        yield invalid(path, name, "must be valid format starting with iqn, eui, or naa")
    elif pattern.search(name) is None:
        yield invalid(path, name, "must be valid format")


def initiator_too_long(name: str, source: Object, path: str) -> Iterator[FieldError]:
    """Check what a volume's name and its portal come to where an initiator is named."""
    target = f"{name}:{source.get('targetPortal') or ''}"
    if source.get("initiatorName") is not None and len(target.encode()) > 64:
        detail = (
            "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if "
            "iscsi.initiatorName is specified."
        )
        yield invalid(path, name, detail)


def _named_secret(source: Object, path: str) -> Iterator[FieldError]:
    secret = source.get("secretRef")
    if secret is not None and not secret.get("name"):
        yield required(f"{path}.secretRef.name")


def _flocker(source: Object, path: str) -> Iterator[FieldError]:
    name, uuid = source.get("datasetName") or "", source.get("datasetUUID")
    if not name and not uuid:
        yield required(path, "one of datasetName and datasetUUID is required")
    if name and uuid:
        detail = "datasetName and datasetUUID can not be specified simultaneously"
        yield invalid(path, "resource", detail)
    if "/" in name:
        yield invalid(f"{path}.datasetName", name, "must not contain '/'")


def _quobyte(source: Object, path: str) -> Iterator[FieldError]:
    registry = source.get("registry") or ""
    if not registry:
        yield required(f"{path}.registry", _HOST_PORTS)
    elif len((source.get("tenant") or "").encode()) > _MAX_TENANT_BYTES:
        detail = f"must be a UUID and may not exceed a length of {_MAX_TENANT_BYTES} characters"
        yield required(f"{path}.tenant", detail)
    else:
        for pair in registry.split(","):
            if not _is_host_port(pair):
                yield invalid(f"{path}.registry", registry, _HOST_PORTS)
    if not source.get("volume"):
        yield required(f"{path}.volume")


def _is_host_port(pair: str) -> bool:
    host, colon, _port = pair.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    return bool(colon) and (bracketed or not set(host) & set(":[]"))


def _fibre_channel(source: Object, path: str) -> Iterator[FieldError]:
    names, ids, lun = source.get("targetWWNs"), source.get("wwids"), source.get("lun")
    if not names and not ids:
        detail = "must specify either targetWWNs or wwids, but not both"
        yield required(f"{path}.targetWWNs", detail)
    if names and ids:
        detail = "targetWWNs and wwids can not be specified simultaneously"
        yield invalid(f"{path}.targetWWNs", names, detail)
    if names and lun is None:
        yield required(f"{path}.lun", "lun is required if targetWWNs is specified")
    elif names and not 0 <= (lun or 0) <= 255:
        yield invalid(f"{path}.lun", lun, formats.in_range(0, 255))


def _flex_volume(source: Object, path: str) -> Iterator[FieldError]:
    for key in source.get("options") or {}:
        namespace = f".{key.partition('/')[0].lower()}"
        if namespace.endswith((".kubernetes.io", ".k8s.io")):
            detail = "kubernetes.io and k8s.io namespaces are reserved"
            yield invalid(f"{path}.options[{key}]", key, detail)


def _azure_disk(source: Object, path: str) -> Iterator[FieldError]:
    where = f"{path}.cachingMode"
    yield from one_of(where, source.get("cachingMode"), _CACHING_MODES, optional=True)
    kind, uri = source.get("kind"), source.get("diskURI") or ""
    yield from one_of(f"{path}.kind", kind, _DISK_KINDS, optional=True)
    if kind == "Managed" and not uri.startswith("/subscriptions/"):
        yield not_supported(f"{path}.diskURI", uri, (_MANAGED_DISK,))
    elif kind and kind != "Managed" and not uri.startswith("https://"):
        yield not_supported(f"{path}.diskURI", uri, (_BLOB_DISK,))


def _storage_os(source: Object, path: str) -> Iterator[FieldError]:
    name, namespace = source.get("volumeName") or "", source.get("volumeNamespace") or ""
    if not name:
        yield required(f"{path}.volumeName")
    else:
        yield from invalid_each(f"{path}.volumeName", name, formats.dns1123_label(name))
    if namespace:
        messages = formats.dns1123_label(namespace)
        yield from invalid_each(f"{path}.volumeNamespace", namespace, messages)
    yield from _named_secret(source, path)


def _local(source: Object, path: str) -> Iterator[FieldError]:
    yield from validate_no_backsteps(source.get("path") or "", f"{path}.path")


DRIVERS: Final[Mapping[str, Callable[[Any, str], Iterator[FieldError]]]] = {
    "awsElasticBlockStore": _partition,
    "azureDisk": _azure_disk,
    "cinder": _named_secret,
    "fc": _fibre_channel,
    "flexVolume": _flex_volume,
    "flocker": _flocker,
    "gcePersistentDisk": _partition,
    "gitRepo": _git_repo,
    "iscsi": _iscsi,
    "local": _local,
    "nfs": _nfs,
    "quobyte": _quobyte,
    "storageos": _storage_os,
}
