"""What a webhook has answered: read, checked, and put into the words that clients get. Pure.

Source: the response checks of apiserver's webhook request package, v1.35.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import orjson

from control_plane.api.errors import ApiError, from_status
from control_plane.api.go_syntax import quote
from control_plane.api.objects import Object

KIND = "AdmissionReview"
GROUP = "admission.k8s.io"


class BadAnswerError(Exception):
    """An answer that is none; the text says why."""


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
    if not isinstance(response, dict):
        raise BadAnswerError("json: cannot unmarshal response into an AdmissionResponse")
    patch, patch_type = _patch_of(response)
    if version == "v1":
        _check_identity(review, response, uid)
        _check_patch(patch, response.get("patchType"), is_mutating=is_mutating)
    elif not is_mutating:
        patch = b""
    return Verdict(
        response.get("allowed") is True,
        _object(response, "status"),
        patch,
        patch_type or "JSONPatch",
        _warnings(response),
        _annotations(response),
    )


def _decoded(body: bytes) -> Object:
    try:
        review = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadAnswerError(f"couldn't get version/kind; json parse error: {error}") from error
    if not isinstance(review, dict):
        raise BadAnswerError("couldn't get version/kind; json parse error: it is no object")
    return review


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
    except (binascii.Error, TypeError, ValueError) as error:
        raise BadAnswerError(f"json: response.patch is no base64: {error}") from error
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


def _object(response: Object, field: str) -> Object:
    found = response.get(field)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise BadAnswerError(f"json: cannot unmarshal response.{field}: it is no object")
    return found


def _warnings(response: Object) -> tuple[str, ...]:
    found = response.get("warnings") or []
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise BadAnswerError("json: cannot unmarshal response.warnings: it is no list of strings")
    return tuple(found)


def _annotations(response: Object) -> dict[str, str]:
    found = _object(response, "auditAnnotations")
    if not all(isinstance(value, str) for value in found.values()):
        raise BadAnswerError("json: cannot unmarshal response.auditAnnotations: not all strings")
    return found


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
    return ApiError(text, details=error.details, code=code, reason=reason)
