"""What a webhook has answered: read, checked, and put into the words that clients get. Pure.

Source: the response checks of apiserver's webhook request package, v1.35.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from control_plane.api.errors import ApiError, from_status
from control_plane.api.go_syntax import quote
from control_plane.api.go_text import go_kind
from control_plane.api.json_syntax import JsonSyntaxError, decode
from control_plane.api.objects import Object

KIND = "AdmissionReview"
GROUP = "admission.k8s.io"
# what JSON has for each field, and what Go calls it
_RESPONSE: Mapping[str, tuple[type, str]] = {
    "uid": (str, "types.UID"),
    "allowed": (bool, "bool"),
    "status": (dict, "v1.Status"),
    "patch": (str, "[]uint8"),
    "patchType": (str, "v1.PatchType"),
    "auditAnnotations": (dict, "map[string]string"),
    "warnings": (list, "[]string"),
}
_STATUS: Mapping[str, tuple[type, str]] = {
    "code": (int, "int32"),
    "status": (str, "string"),
    "message": (str, "string"),
    "reason": (str, "v1.StatusReason"),
    "details": (dict, "v1.StatusDetails"),
}


class BadAnswerError(Exception):
    """An answer that is none; the text says why."""


class UnreadableAnswerError(BadAnswerError):
    """An answer that is no AdmissionReview at all, not even one with something wrong about it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A valid answer; `patch` is b"" where nothing is to be changed."""

    is_allowed: bool
    result: Object
    patch: bytes
    patch_type: str
    warnings: tuple[str, ...]
    annotations: dict[str, str]


def read_verdict(body: bytes, uid: str, version: str, *, is_mutating: bool) -> Verdict:
    """Read the body of an answer to the request `uid`, in a version; raises BadAnswerError."""
    review = _decoded(body)
    response = review.get("response")
    if response is None:
        raise BadAnswerError("webhook response was absent")
    _check_types(response)
    patch, patch_type = _patch_of(response)
    if version == "v1":
        _check_identity(review, response, uid)
        _check_patch(patch, response.get("patchType"), is_mutating=is_mutating)
    elif not is_mutating:
        patch = b""
    return Verdict(
        response.get("allowed") is True,
        response.get("status") or {},
        patch,
        patch_type or "JSONPatch",
        tuple(response.get("warnings") or ()),
        response.get("auditAnnotations") or {},
    )


def _decoded(body: bytes) -> Object:
    if not body:
        raise UnreadableAnswerError("0-length response with status code: 200")
    try:
        review = decode(body)
    except JsonSyntaxError as error:
        text = f"couldn't get version/kind; json parse error: {error}"
        raise UnreadableAnswerError(text) from error
    if not isinstance(review, dict):
        text = f"json: cannot unmarshal {go_kind(review)} into Go value of type {KIND}"
        raise UnreadableAnswerError(f"couldn't get version/kind; json parse error: {text}")
    return review


def _check_types(response: Any) -> None:
    """Raise UnreadableAnswerError for what Go cannot read into an AdmissionResponse."""
    if not isinstance(response, dict):
        raise _mismatch(response, "response", "AdmissionResponse")
    for fields, owner, place in (
        (_RESPONSE, response, "response"),
        (_STATUS, response.get("status") or {}, "response.status"),
    ):
        for field, (kind, name) in fields.items():
            value = owner.get(field)
            if value is not None and type(value) is not kind:
                raise _mismatch(value, f"{place}.{field}", name)
    for field, values in (
        ("warnings", response.get("warnings") or ()),
        ("auditAnnotations", (response.get("auditAnnotations") or {}).values()),
    ):
        for value in values:
            if not isinstance(value, str):
                raise _mismatch(value, f"response.{field}", "string")


def _mismatch(value: Any, field: str, wanted: str) -> UnreadableAnswerError:
    shown = f"Go struct field {KIND}.{field} of type {wanted}"
    return UnreadableAnswerError(f"json: cannot unmarshal {go_kind(value)} into {shown}")


def _check_identity(review: Object, response: Object, uid: str) -> None:
    given = response.get("uid") or ""
    if given != uid:
        raise BadAnswerError(f"expected response.uid={quote(uid)}, got {quote(str(given))}")
    version, kind = str(review.get("apiVersion") or ""), str(review.get("kind") or "")
    if (version, kind) != (f"{GROUP}/v1", KIND):
        group, _, name = version.rpartition("/")
        shown = f"{group}/{name}, Kind={kind}"
        raise BadAnswerError(f"expected webhook response of {GROUP}/v1, Kind={KIND}, got {shown}")


def _patch_of(response: Object) -> tuple[bytes, str]:
    encoded, patch_type = response.get("patch"), response.get("patchType")
    try:
        patch = base64.b64decode(encoded, validate=True) if encoded else b""
    except (binascii.Error, ValueError) as error:
        raise UnreadableAnswerError("illegal base64 data in response.patch") from error
    return patch, str(patch_type or "")


def _check_patch(patch: bytes, patch_type: Any, *, is_mutating: bool) -> None:
    if not is_mutating:
        for given, field in ((patch or None, "patch"), (patch_type, "patchType")):
            if given is not None:
                raise BadAnswerError(f"validating webhook may not return response.{field}")
        return
    if patch and patch_type is None:
        raise BadAnswerError("webhook returned response.patch but not response.patchType")
    if patch_type is not None and not patch:
        raise BadAnswerError("webhook returned response.patchType but not response.patch")
    if patch_type is not None and patch_type != "JSONPatch":
        shown = quote(str(patch_type))
        raise BadAnswerError(f"webhook returned invalid response.patchType of {shown}")


def denial(name: str, result: Object) -> ApiError:
    """What the client is told of a refusal: the webhook's status, which is at least a 400."""
    code = result.get("code")
    code = code if isinstance(code, int) and 400 <= code < 600 else 400
    message, reason = (str(result.get(field) or "") for field in ("message", "reason"))
    why = message or reason
    denied = f"admission webhook {quote(name)} denied the request"
    text = f"{denied}: {why}" if why else f"{denied} without explanation"
    details = result.get("details")
    error = from_status(
        {
            "code": code,
            "message": text,
            "details": details if isinstance(details, dict) else None,
        }
    )
    return ApiError(text, details=error.details or None, code=code, reason=reason)
