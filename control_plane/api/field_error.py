"""Field errors: what is wrong with one field of an object, rendered as upstream renders it.

Validation returns lists of these; `errors.Invalid` turns a list into the 422 Status. Pure.
Source: the field error types of the API machinery, v1.35.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from control_plane.api.go_syntax import print_value, quote

if TYPE_CHECKING:
    from collections.abc import Iterable


class ErrorType(StrEnum):
    """The kinds of field error; the value is the `reason` of the cause in the Status."""

    NOT_FOUND = "FieldValueNotFound"
    REQUIRED = "FieldValueRequired"
    DUPLICATE = "FieldValueDuplicate"
    INVALID = "FieldValueInvalid"
    NOT_SUPPORTED = "FieldValueNotSupported"
    FORBIDDEN = "FieldValueForbidden"
    TOO_LONG = "FieldValueTooLong"
    TOO_MANY = "FieldValueTooMany"
    INTERNAL = "InternalError"
    TYPE_INVALID = "FieldValueTypeInvalid"


LABELS: Final = {
    ErrorType.NOT_FOUND: "Not found",
    ErrorType.REQUIRED: "Required value",
    ErrorType.DUPLICATE: "Duplicate value",
    ErrorType.INVALID: "Invalid value",
    ErrorType.NOT_SUPPORTED: "Unsupported value",
    ErrorType.FORBIDDEN: "Forbidden",
    ErrorType.TOO_LONG: "Too long",
    ErrorType.TOO_MANY: "Too many",
    ErrorType.INTERNAL: "Internal error",
    ErrorType.TYPE_INVALID: "Invalid value",
}
_WITHOUT_VALUE: Final = frozenset(
    {ErrorType.REQUIRED, ErrorType.FORBIDDEN, ErrorType.TOO_LONG, ErrorType.INTERNAL}
)


class _Omitted:
    """The value of an error that leaves the value out on purpose."""

    def __repr__(self) -> str:
        return "OMITTED"


OMITTED: Final = _Omitted()


@dataclass(frozen=True, slots=True)
class FieldError:
    """One error: `field` is the path ("spec.containers[0].name"), "" prints as <nil>.

    `value` is the offending JSON value; OMITTED leaves it out of the text, None prints null. The
    types REQUIRED, FORBIDDEN, TOO_LONG and INTERNAL never print it.
    """

    type: ErrorType
    field: str
    detail: str = ""
    value: Any = OMITTED

    @property
    def body(self) -> str:
        """Return the text without the field: the cause's message."""
        parts = [LABELS[self.type]]
        if self.type not in _WITHOUT_VALUE and self.value is not OMITTED:
            parts.append(print_value(self.value))
        if self.detail:
            parts.append(self.detail)
        return ": ".join(parts)

    def cause(self) -> dict[str, str]:
        """Return the entry for details.causes."""
        return {"reason": str(self.type), "message": self.body, "field": self.field or "<nil>"}

    def __str__(self) -> str:
        """Return "field: body"."""
        return f"{self.field or '<nil>'}: {self.body}"


def aggregate(errors: Iterable[FieldError]) -> str:
    """Join error texts: one bare, several as "[a, b]", repeated texts once, none as ""."""
    texts = list(dict.fromkeys(str(error) for error in errors))
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]" if texts else ""


def required(field: str, detail: str = "") -> FieldError:
    """Say that a field must be given."""
    return FieldError(ErrorType.REQUIRED, field, detail)


def invalid(field: str, value: Any, detail: str) -> FieldError:
    """Say why a field's value is wrong."""
    return FieldError(ErrorType.INVALID, field, detail, value)


def type_invalid(field: str, value: Any, detail: str) -> FieldError:
    """Say that a field's value has the wrong type."""
    return FieldError(ErrorType.TYPE_INVALID, field, detail, value)


def not_supported(field: str, value: Any, supported: Iterable[str]) -> FieldError:
    """Say which values a field may have; they are printed in the given order."""
    shown = ", ".join(quote(option) for option in supported)
    return FieldError(
        ErrorType.NOT_SUPPORTED, field, f"supported values: {shown}" if shown else "", value
    )


def not_found(field: str, value: Any) -> FieldError:
    """Say that a reference within the object leads nowhere."""
    return FieldError(ErrorType.NOT_FOUND, field, "", value)


def duplicate(field: str, value: Any) -> FieldError:
    """Say that a value which must be unique occurs again."""
    return FieldError(ErrorType.DUPLICATE, field, "", value)


def forbidden(field: str, detail: str) -> FieldError:
    """Say why a field may not be set or changed."""
    return FieldError(ErrorType.FORBIDDEN, field, detail)


def too_long(field: str, limit: int) -> FieldError:
    """Say that a string has more than `limit` bytes.

    A negative limit says only that it is too long.
    """
    unit = "byte" if limit == 1 else "bytes"
    detail = f"may not be more than {limit} {unit}" if limit >= 0 else "value is too long"
    return FieldError(ErrorType.TOO_LONG, field, detail)


def too_many(field: str, actual: int, limit: int) -> FieldError:
    """Say that a list has `actual` items, more than `limit`.

    A negative limit leaves the limit out.
    """
    unit = "item" if limit == 1 else "items"
    detail = f"must have at most {limit} {unit}" if limit >= 0 else "has too many items"
    return FieldError(ErrorType.TOO_MANY, field, detail, actual)


def internal(field: str, detail: str) -> FieldError:
    """Say that the server itself failed over a field."""
    return FieldError(ErrorType.INTERNAL, field, detail)
