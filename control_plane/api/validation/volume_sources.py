"""Rules of the volume sources that pods and persistent volumes name.

REQUIRED_FIELDS and SOURCES are the tables: what a source cannot do without, and its further rules.
Called by volumes.py and storage.py. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

import orjson

from control_plane.api.internal_form import internal_form
from control_plane.api.validation import formats
from control_plane.api.validation.claim_spec import validate_claim_spec
from control_plane.api.validation.field_errors import (
    forbidden,
    invalid,
    invalid_each,
    not_supported,
    one_of,
    required,
    too_long,
)
from control_plane.api.validation.field_references import (
    VOLUME_FIELDS,
    validate_field_reference,
    validate_resource_reference,
)
from control_plane.api.validation.paths import validate_item_path, validate_no_backsteps
from control_plane.api.validation.pod_context import PodContext
from control_plane.api.validation.quantities import amount_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

    SourceRule = Callable[[Object, str, PodContext], Iterator[FieldError]]

REQUIRED_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "persistentVolumeClaim": ("claimName",), "hostPath": ("path",), "secret": ("secretName",),
    "configMap": ("name",), "nfs": ("server", "path"), "iscsi": ("targetPortal", "iqn"),
    "gcePersistentDisk": ("pdName",), "awsElasticBlockStore": ("volumeID",),
    "glusterfs": ("endpoints", "path"), "rbd": ("monitors", "image"), "cephfs": ("monitors",),
    "cinder": ("volumeID",), "flexVolume": ("driver",), "azureFile": ("secretName", "shareName"),
    "azureDisk": ("diskName", "diskURI"), "vsphereVolume": ("volumePath",),
    "photonPersistentDisk": ("pdID",), "portworxVolume": ("volumeID",), "gitRepo": ("repository",),
    "scaleIO": ("gateway", "system", "volumeName"), "csi": ("driver",), "local": ("path",),
}  # fmt: skip
_HOST_PATH_TYPES: Final = (
    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate",
    "Socket",
)  # fmt: skip
_CSI_SECRETS: Final = (
    "controllerPublishSecretRef", "controllerExpandSecretRef", "nodePublishSecretRef",
    "nodeExpandSecretRef",
)  # fmt: skip
_MODE: Final = "must be a number between 0 and 0777 (octal), both inclusive"
_MIN_TOKEN_SECONDS: Final = 600
_MAX_TOKEN_SECONDS: Final = 1 << 32
_LONGEST_REMEMBERED: Final = 2048
_PROJECTIONS: Final = (
    "secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle",
    "podCertificate",
)  # fmt: skip


def _empty_dir(source: Object, path: str, _context: PodContext) -> Iterator[FieldError]:
    limit = source.get("sizeLimit")
    if limit is not None and amount_of(limit) < 0:
        detail = "SizeLimit field must be a valid resource quantity"
        yield forbidden(f"{path}.sizeLimit", detail)


def host_path(source: Object, path: str, _context: Any = None) -> Iterator[FieldError]:
    """Check a path on the node and what is expected there."""
    if source.get("path"):
        yield from validate_no_backsteps(source["path"], f"{path}.path")
    kind = source.get("type")
    if kind is not None and kind not in _HOST_PATH_TYPES:
        yield not_supported(f"{path}.type", kind, _HOST_PATH_TYPES)


def _mode(value: Any, path: str) -> Iterator[FieldError]:
    if value is not None and not 0 <= value <= 0o777:
        yield invalid(path, value, _MODE)


def _keys(source: Object, path: str, _context: Any = None) -> Iterator[FieldError]:
    """Check a volume made of the keys of a Secret or ConfigMap."""
    yield from _mode(source.get("defaultMode"), f"{path}.defaultMode")
    for index, item in enumerate(source.get("items") or []):
        where = f"{path}.items[{index}]"
        if not item.get("key"):
            yield required(f"{where}.key")
        yield from validate_item_path(item.get("path") or "", f"{where}.path")
        yield from _mode(item.get("mode"), f"{where}.mode")


def _downward_api(source: Object, path: str, _context: Any = None) -> Iterator[FieldError]:
    yield from _mode(source.get("defaultMode"), f"{path}.defaultMode")
    for item in source.get("items") or []:
        yield from validate_item_path(item.get("path") or "", f"{path}.path")
        field, resource = item.get("fieldRef"), item.get("resourceFieldRef")
        if field is not None:
            yield from validate_field_reference(field, VOLUME_FIELDS, f"{path}.fieldRef")
            if resource is not None:
                detail = "fieldRef and resourceFieldRef can not be specified simultaneously"
                yield invalid(path, "resource", detail)
        elif resource is not None:
            where = f"{path}.resourceFieldRef"
            yield from validate_resource_reference(resource, where, needs_container=True)
        else:
            yield required(path, "one of fieldRef and resourceFieldRef is required")
        yield from _mode(item.get("mode"), f"{path}.mode")


def _projected(source: Object, path: str, context: PodContext) -> Iterator[FieldError]:
    """Check a projected volume; that of a service account's token is the same in every pod."""
    has_account = context.is_template or context.spec.get("serviceAccountName")
    if not (has_account and _is_known_valid(source)):
        yield from _projection_errors(source, path, context)


def _is_known_valid(source: Object) -> bool:
    try:
        encoded = orjson.dumps(source)
    except TypeError:  # a number or text that no object keeps
        return False
    return len(encoded) <= _LONGEST_REMEMBERED and _is_valid_projection(encoded)


@functools.lru_cache(maxsize=256)
def _is_valid_projection(source: bytes) -> bool:
    context = PodContext({}, is_template=True)
    return next(_projection_errors(orjson.loads(source), "", context), None) is None


def _projection_errors(source: Object, path: str, context: PodContext) -> Iterator[FieldError]:
    yield from _mode(source.get("defaultMode"), f"{path}.defaultMode")
    written: set[str] = set()
    for index, projection in enumerate(source.get("sources") or []):
        where = f"{path}.sources[{index}]"
        given = [name for name in _PROJECTIONS if projection.get(name) is not None]
        for position, name in enumerate(given):
            if position:
                detail = "may not specify more than 1 volume type per source"
                yield forbidden(f"{where}.{name}", detail)
            else:
                rule = _PROJECTION_RULES[name]
                yield from rule(projection[name], f"{where}.{name}", context)
        for target in _written_paths(projection):
            if target in written:
                yield invalid(path, target, "conflicting duplicate paths")
            written.add(target)


def _written_paths(projection: Object) -> Iterator[str]:
    for name in ("secret", "configMap", "downwardAPI"):
        for item in (projection.get(name) or {}).get("items") or []:
            if item.get("path"):
                yield item["path"]
    for name in ("serviceAccountToken", "clusterTrustBundle"):
        path = (projection.get(name) or {}).get("path")
        if path:
            yield path


def _named_keys(source: Object, path: str, context: PodContext) -> Iterator[FieldError]:
    if not source.get("name"):
        yield required(f"{path}.name")
    yield from _keys(source, path, context)


def _token(source: Object, path: str, context: PodContext) -> Iterator[FieldError]:
    seconds = source.get("expirationSeconds") or 0
    where = f"{path}.expirationSeconds"
    if not context.is_template and not context.spec.get("serviceAccountName"):
        yield forbidden(path, "must not be specified when serviceAccountName is not set")
    if seconds < _MIN_TOKEN_SECONDS:
        yield invalid(where, seconds, "may not specify a duration less than 10 minutes")
    if seconds > _MAX_TOKEN_SECONDS:
        yield invalid(where, seconds, "may not specify a duration larger than 2^32 seconds")
    yield from validate_item_path(source.get("path") or "", f"{path}.path")


def _trust_bundle(source: Object, path: str, _context: PodContext) -> Iterator[FieldError]:
    name, signer = source.get("name"), source.get("signerName")
    if name and signer:
        shown = internal_form("ClusterTrustBundleProjection", source)
        yield invalid(path, shown, "only one of name and signerName may be used")
    elif not name and not signer:
        yield required(path, "either name or signerName must be specified")
    if name and source.get("labelSelector") is not None:
        where = f"{path}.labelSelector"
        detail = "labelSelector must be unset if name is specified"
        yield invalid(where, source["labelSelector"], detail)
    yield from validate_item_path(source.get("path") or "", f"{path}.path")


def _pod_certificate(source: Object, path: str, _context: PodContext) -> Iterator[FieldError]:
    if not source.get("signerName"):
        yield required(f"{path}.signerName")
    targets = ("credentialBundlePath", "keyPath", "certificateChainPath")
    given = [target for target in targets if source.get(target)]
    for target in given:
        yield from validate_item_path(source[target], f"{path}.{target}")
    if not given:
        detail = "specify at least one of credentialBundlePath, keyPath, and certificateChainPath"
        yield required(path, detail)


def _image(source: Object, path: str, context: PodContext) -> Iterator[FieldError]:
    if not source.get("reference") and not context.is_template:
        yield required(f"{path}.reference")
    policies = ("Always", "IfNotPresent", "Never")
    where = f"{path}.pullPolicy"
    yield from one_of(where, source.get("pullPolicy"), policies, optional=True)


def csi(source: Object, path: str, _context: Any = None) -> Iterator[FieldError]:
    """Check the name of a CSI driver and the secret for publishing."""
    driver = source.get("driver") or ""
    if len(driver.encode()) > 63:
        yield too_long(f"{path}.driver", 63)
    if driver:
        messages = formats.dns1123_subdomain(driver.lower())
        yield from invalid_each(f"{path}.driver", driver, messages)
    secret = source.get("nodePublishSecretRef")
    if secret is None:
        return
    name = secret.get("name") or ""
    if not name:
        yield required(f"{path}.nodePublishSecretRef.name")
    else:
        yield from invalid_each(f"{path}.name", name, formats.dns1123_subdomain(name))


def persistent_csi(source: Object, path: str) -> Iterator[FieldError]:
    """Check the CSI source of a persistent volume, and the secrets of its calls."""
    without_secret = {key: value for key, value in source.items() if key != "nodePublishSecretRef"}
    yield from csi(without_secret, path)
    if not source.get("volumeHandle"):
        yield required(f"{path}.volumeHandle")
    for field in _CSI_SECRETS:
        secret, where = source.get(field), f"{path}.{field}"
        if secret is not None:
            yield from _validate_reference(secret, "name", formats.dns1123_subdomain, where)
            yield from _validate_reference(secret, "namespace", formats.dns1123_label, where)


def _validate_reference(
    secret: Object, field: str, rule: Callable[[str], list[str]], path: str
) -> Iterator[FieldError]:
    value = secret.get(field) or ""
    if not value:
        yield required(f"{path}.{field}")
    else:
        yield from invalid_each(f"{path}.{field}", value, rule(value))


def _ephemeral(source: Object, path: str, context: PodContext) -> Iterator[FieldError]:
    template = source.get("volumeClaimTemplate")
    if template is None:
        yield required(f"{path}.volumeClaimTemplate")
        return
    for field in template.get("metadata") or {}:
        if field not in ("labels", "annotations"):
            yield forbidden(f"{path}.volumeClaimTemplate.metadata.{field}", "cannot be set")
    yield from validate_claim_spec(template.get("spec") or {}, f"{path}.volumeClaimTemplate.spec")


_PROJECTION_RULES: Final[Mapping[str, SourceRule]] = {
    "secret": _named_keys,
    "configMap": _named_keys,
    "downwardAPI": _downward_api,
    "serviceAccountToken": _token,
    "clusterTrustBundle": _trust_bundle,
    "podCertificate": _pod_certificate,
}
SOURCES: Final[Mapping[str, SourceRule]] = {
    "emptyDir": _empty_dir,
    "hostPath": host_path,
    "secret": _keys,
    "configMap": _keys,
    "downwardAPI": _downward_api,
    "projected": _projected,
    "image": _image,
    "csi": csi,
    "ephemeral": _ephemeral,
}
