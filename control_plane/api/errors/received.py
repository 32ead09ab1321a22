"""Errors as a client gets them: a Status body becomes the error that it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.errors.base import ApiError
from control_plane.api.errors.failures import (
    InternalError,
    ServerTimeout,
    ServiceUnavailable,
    Timeout,
)
from control_plane.api.errors.refusals import (
    AlreadyExists,
    BadRequest,
    Conflict,
    Expired,
    Forbidden,
    Gone,
    Invalid,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    RequestEntityTooLarge,
    TooManyRequests,
    Unauthorized,
    UnsupportedMediaType,
)

if TYPE_CHECKING:
    from control_plane.api.objects import Object

_CLASSES: Final[tuple[type[ApiError], ...]] = (
    BadRequest, Unauthorized, Forbidden, NotFound, MethodNotAllowed, NotAcceptable, Conflict,
    AlreadyExists, Gone, Expired, RequestEntityTooLarge, UnsupportedMediaType, Invalid,
    TooManyRequests, InternalError, ServerTimeout, ServiceUnavailable, Timeout,
)  # fmt: skip
_BY_REASON: Final = {cls.reason: cls for cls in _CLASSES}
# The first class of a code wins: a bare 409 is a Conflict, a bare 500 an InternalError.
_BY_CODE: Final = {cls.code: cls for cls in reversed(_CLASSES)}


def from_status(status: Object) -> ApiError:
    """Return the error that a Status body stands for.

    Unknown reasons fall back on the code and keep their own text; a body without a code counts as
    500.
    """
    code = int(status.get("code") or 500)
    reason = str(status.get("reason") or "")
    cls = _BY_REASON.get(reason) or _BY_CODE.get(code, ApiError)
    message = str(status.get("message") or "")
    return cls(message, details=status.get("details"), code=code, reason=reason)
