"""Rules of config maps, secrets, namespaces, leases and service accounts.

Called through the VALIDATORS table. Source: v1.35 core/v1 and coordination/v1 validation.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from control_plane.api import json_syntax
from control_plane.api.semantics import semantically_equal
from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    IMMUTABLE,
    forbidden,
    invalid,
    invalid_each,
    non_negative,
    required,
    too_long,
)
from control_plane.api.validation.metadata import validate_domain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

MAX_CONTENT_BYTES: Final = 1024 * 1024
ACCOUNT_NAME: Final = "kubernetes.io/service-account.name"
_FROZEN: Final = "field is immutable when `immutable` is set"
_JSON_KEYS: Final = {
    "kubernetes.io/dockercfg": ".dockercfg",
    "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
}
_NEEDED_KEYS: Final = {"kubernetes.io/tls": ("tls.crt", "tls.key")}
_GO_KINDS: Final = {list: "array", str: "string", bool: "bool"}  # all others are numbers
_REDACTED: Final = "<secret contents redacted>"


def validate_config_map(config_map: Object) -> Iterator[FieldError]:
    """Check the keys and the size of a ConfigMap."""
    texts, blobs = config_map.get("data") or {}, config_map.get("binaryData") or {}
    for key in texts:
        yield from invalid_each(f"data[{key}]", key, formats.config_key(key))
        if key in blobs:
            yield invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
    for key in blobs:
        yield from invalid_each(f"binaryData[{key}]", key, formats.config_key(key))
    size = sum(len(text.encode()) for text in texts.values())
    if size + sum(map(_decoded_size, blobs.values())) > MAX_CONTENT_BYTES:
        yield too_long("[]", MAX_CONTENT_BYTES)


def _decoded_size(text: str) -> int:
    return len(text) // 4 * 3 - text[-2:].count("=")


def validate_config_map_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check that an immutable ConfigMap stays as it is."""
    yield from _keep_frozen(new, old, "data", "binaryData")
    yield from validate_config_map(new)


def _keep_frozen(new: Object, old: Object, *fields: str) -> Iterator[FieldError]:
    if not old.get("immutable"):
        return
    if not new.get("immutable"):
        yield forbidden("immutable", _FROZEN)
    for field in fields:
        if not semantically_equal(new.get(field), old.get(field)):
            yield forbidden(field, _FROZEN)


def validate_secret(secret: Object) -> Iterator[FieldError]:
    """Check the keys and size of a Secret, and what its type demands."""
    data = secret.get("data") or {}
    for key in data:
        yield from invalid_each(f"data[{key}]", key, formats.config_key(key))
    if sum(map(_decoded_size, data.values())) > MAX_CONTENT_BYTES:
        yield too_long("data", MAX_CONTENT_BYTES)
    yield from _validate_secret_type(secret, data)


def _validate_secret_type(secret: Object, data: dict[str, str]) -> Iterator[FieldError]:
    kind = secret.get("type") or ""
    if kind in _JSON_KEYS:
        yield from _validate_json_key(data, _JSON_KEYS[kind])
    for key in _NEEDED_KEYS.get(kind, ()):
        if key not in data:
            yield required(f"data[{key}]")
    if kind == "kubernetes.io/ssh-auth" and not data.get("ssh-privatekey"):
        yield required("data[ssh-privatekey]")
    if kind == "kubernetes.io/basic-auth" and not {"username", "password"} & data.keys():
        yield required("data[username]")
        yield required("data[password]")
    if kind == "kubernetes.io/service-account-token":
        annotations = (secret.get("metadata") or {}).get("annotations") or {}
        if not annotations.get(ACCOUNT_NAME):
            yield required(f"metadata.annotations[{ACCOUNT_NAME}]")


def _validate_json_key(data: dict[str, str], key: str) -> Iterator[FieldError]:
    if key not in data:
        yield required(f"data[{key}]")
        return
    trouble = _json_object_trouble(data[key])
    if trouble:
        yield invalid(f"data[{key}]", _REDACTED, trouble)


def _json_object_trouble(text: str) -> str:
    try:
        value: Any = json_syntax.decode(base64.b64decode(text))
    except ValueError as error:
        return str(error)
    if value is None or isinstance(value, dict):
        return ""
    kind = _GO_KINDS.get(type(value), "number")
    return f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"


def validate_secret_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check that the type stays, and that an immutable Secret does."""
    if new.get("type") != old.get("type"):
        yield invalid("type", new.get("type"), IMMUTABLE)
    yield from _keep_frozen(new, old, "data")
    yield from validate_secret(new)


def validate_namespace(namespace: Object) -> Iterator[FieldError]:
    """Check the finalizers of a Namespace."""
    for finalizer in (namespace.get("spec") or {}).get("finalizers") or []:
        messages = formats.qualified_name(finalizer)
        yield from invalid_each("spec.finalizers", finalizer, messages)
        yield from validate_domain(finalizer, "spec.finalizers")


def validate_namespace_status_update(new: Object, _old: Object) -> Iterator[FieldError]:
    """Check that the phase says whether the namespace is being deleted."""
    phase = (new.get("status") or {}).get("phase") or ""
    deleted = bool((new.get("metadata") or {}).get("deletionTimestamp"))
    if not deleted and phase != "Active":
        detail = "may only be 'Active' if `deletionTimestamp` is empty"
        yield invalid("status.Phase", phase, detail)
    if deleted and phase != "Terminating":
        detail = "may only be 'Terminating' if `deletionTimestamp` is not empty"
        yield invalid("status.Phase", phase, detail)


def validate_lease(lease: Object) -> Iterator[FieldError]:
    """Check the numbers of a Lease."""
    spec = lease.get("spec") or {}
    seconds = spec.get("leaseDurationSeconds")
    if seconds is not None and seconds <= 0:
        yield invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0")
    yield from non_negative("spec.leaseTransitions", spec.get("leaseTransitions"))
