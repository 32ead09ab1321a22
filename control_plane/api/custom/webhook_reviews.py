"""ConversionReview: what a conversion webhook is asked, and what its answer must be.

Source: apiextensions conversion webhook_converter v1.35. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from control_plane.api.go_syntax import quote
from control_plane.api.objects import dig

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control_plane.api.objects import Object

KIND: Final = "ConversionReview"
GROUP: Final = "apiextensions.k8s.io"
KNOWN_VERSIONS: Final = ("v1", "v1beta1")
_SAME: Final = (("name", "name"), ("namespace", "namespace"), ("uid", "UID"))
_CHANGEABLE: Final = ("labels", "annotations")


class BadConversionError(ValueError):
    """A webhook's answer is none; `str` says why, in upstream's words."""


def review_version(conversion: Object) -> str:
    """Return the first version of reviews that the webhook and this server know; "" for none."""
    versions = dig(conversion, "webhook", "conversionReviewVersions", default=[])
    return next((version for version in versions if version in KNOWN_VERSIONS), "")


def question(objects: Sequence[Object], wanted: str, version: str, uid: str) -> bytes:
    """Return the body that asks for objects in another apiVersion."""
    request = {"uid": uid, "desiredAPIVersion": wanted, "objects": list(objects)}
    return orjson.dumps({"kind": KIND, "apiVersion": f"{GROUP}/{version}", "request": request})


def converted(
    answer: bytes, sent: Sequence[Object], wanted: str, version: str, uid: str
) -> list[Object]:
    """Return the objects of an answer, with the metadata that they had; raises
    BadConversionError.
    """
    found = _objects(answer, version, uid)
    if len(found) != len(sent):
        raise BadConversionError(f"returned {len(found)} objects, expected {len(sent)}")
    for index, (before, after) in enumerate(zip(sent, found, strict=True)):
        _check(before, after, wanted, index)
    return [_with_metadata(*pair) for pair in zip(sent, found, strict=True)]


def _objects(answer: bytes, version: str, uid: str) -> list[Any]:
    try:
        review = orjson.loads(answer)
    except orjson.JSONDecodeError as error:
        raise BadConversionError(f"failed: {error}") from None
    expected = f"{GROUP}/{version}, Kind={KIND}"
    if not isinstance(review, dict):
        raise BadConversionError(f"failed: expected webhook response of {expected}")
    got = f"{review.get('apiVersion')}, Kind={review.get('kind')}"
    if got != expected:
        raise BadConversionError(f"failed: expected webhook response of {expected}, got {got}")
    response = review.get("response")
    if not isinstance(response, dict):
        raise BadConversionError("failed: no response provided")
    if response.get("uid") != uid:
        got = quote(str(response.get("uid") or ""))
        raise BadConversionError(f"failed: expected response.uid={quote(uid)}, got {got}")
    status = dig(response, "result", "status", default="")
    if status != "Success":
        text = dig(response, "result", "message", default="")
        text = text or f"response.result.status was '{status}', not 'Success'"
        raise BadConversionError(f"failed: {text}")
    objects = response.get("convertedObjects") or []
    return objects if isinstance(objects, list) else []


def _check(before: Object, after: Any, wanted: str, index: int) -> None:
    invalid = f"returned invalid converted object at index {index}"
    if not isinstance(after, dict):
        raise BadConversionError(f"{invalid}: it is no object")
    if after.get("apiVersion") != wanted:
        got = after.get("apiVersion")
        raise BadConversionError(
            f"{invalid}: invalid groupVersion (expected {wanted}, received {got})"
        )
    if after.get("kind") != before.get("kind"):
        raise BadConversionError(
            f"{invalid}: invalid kind (expected {before.get('kind')}, received {after.get('kind')})"
        )
    metadata = after.get("metadata")
    invalid = f"returned invalid metadata in object at index {index}"
    if not isinstance(metadata, dict):
        raise BadConversionError(f"{invalid}: missing metadata in converted object")
    for field, shown in _SAME:
        had, has = (before["metadata"].get(field) or "", metadata.get(field) or "")
        if had != has:
            raise BadConversionError(f"{invalid}: must have the same {shown}: {had} != {has}")
    for field in _CHANGEABLE:
        _check_texts(metadata.get(field), field, invalid)


def _check_texts(values: Any, field: str, invalid: str) -> None:
    if values is None:
        return
    if not isinstance(values, dict):
        raise BadConversionError(f"{invalid}: metadata.{field} must be a map in converted object")
    for key, value in values.items():
        if not isinstance(value, str):
            raise BadConversionError(
                f"{invalid}: metadata.{field}[{key}] must be a string, but is "
                f"{type(value).__name__} in converted object"
            )


def _with_metadata(before: Object, after: Object) -> Object:
    """Return the converted object with the metadata it had, but for labels and annotations."""
    metadata = {key: value for key, value in before["metadata"].items() if key not in _CHANGEABLE}
    for field in _CHANGEABLE:
        if after["metadata"].get(field):
            metadata[field] = after["metadata"][field]
    return {**after, "metadata": metadata}
