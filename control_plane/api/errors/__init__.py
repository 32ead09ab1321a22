"""API errors: the metav1.Status tree, raised by the API server and rebuilt by its clients.

Every class has its HTTP code and reason; its constructor takes the message as it goes over the
wire. `ApiError.status()` is the body to send; `from_status` is its inverse. Pure: mapping to HTTP
responses is done by the API server's edge.
"""

from control_plane.api.errors.base import ApiError, NamedKind, NamedResource
from control_plane.api.errors.failures import (
    InternalError,
    ServerTimeout,
    ServiceUnavailable,
    Timeout,
)
from control_plane.api.errors.received import from_status
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
from control_plane.api.field_error import ErrorType, FieldError

__all__ = [
    "AlreadyExists", "ApiError", "BadRequest", "Conflict", "ErrorType", "Expired", "FieldError",
    "Forbidden", "Gone", "InternalError", "Invalid", "MethodNotAllowed", "NamedKind",
    "NamedResource", "NotAcceptable", "NotFound", "RequestEntityTooLarge", "ServerTimeout",
    "ServiceUnavailable", "Timeout", "TooManyRequests", "Unauthorized", "UnsupportedMediaType",
    "from_status",
]  # fmt: skip
