"""API errors: the metav1.Status tree, raised by the API server and rebuilt by its clients.

Every class has its HTTP code and reason; its constructor takes the message as it goes over the
wire. Class methods `of(...)` word the message as upstream does. `ApiError.status()` is the body to
send; `from_status` is its inverse. Pure: mapping to HTTP responses is done by the API server's
edge.

Source: the status constructors of the API machinery, v1.35.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from control_plane.api.field_error import ErrorType, FieldError, aggregate
from control_plane.api.go_syntax import quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control_plane.api.objects import Object

__all__ = [
    "AlreadyExists", "ApiError", "BadRequest", "Conflict", "ErrorType", "Expired", "FieldError",
    "Forbidden", "Gone", "InternalError", "Invalid", "MethodNotAllowed", "NamedKind",
    "NamedResource", "NotAcceptable", "NotFound", "RequestEntityTooLarge", "ServerTimeout",
    "ServiceUnavailable", "Timeout", "TooManyRequests", "Unauthorized", "UnsupportedMediaType",
    "from_status",
]  # fmt: skip


class NamedResource(Protocol):
    """What an error says of a resource; every row of RESOURCES fits."""

    @property
    def group(self) -> str: ...  # noqa: D102
    @property
    def plural(self) -> str: ...  # noqa: D102


class NamedKind(Protocol):
    """What an error says of a kind; every row of RESOURCES fits."""

    @property
    def group(self) -> str: ...  # noqa: D102
    @property
    def kind(self) -> str: ...  # noqa: D102


class ApiError(Exception):
    """An answer of the API server that is not success.

    `details` follow StatusDetails and are left out of the body when empty; retryAfterSeconds in
    them becomes the Retry-After header. Used itself for statuses without a class of their own:
    reason "" and code 500.
    """

    code: int = 500
    reason: str = ""

    def __init__(
        self,
        message: str,
        *,
        details: Object | None = None,
        code: int | None = None,
        reason: str | None = None,
    ) -> None:
        """Keep the message as it goes over the wire; code and reason override the class's own."""
        super().__init__(message)
        self.message = message
        self.details: Object = details or {}
        if code is not None:
            self.code = code
        if reason is not None:
            self.reason = reason

    @property
    def retry_after_seconds(self) -> int:
        """Return details.retryAfterSeconds, 0 when there is none."""
        return int(self.details.get("retryAfterSeconds") or 0)

    @property
    def causes(self) -> list[Object]:
        """Return details.causes, empty when there are none."""
        return self.details.get("causes") or []

    def status(self) -> Object:
        """Return the Status object to send."""
        body: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details:
            body["details"] = self.details
        return {**body, "code": self.code}


class BadRequest(ApiError):
    """400: the request cannot be understood."""

    code, reason = 400, "BadRequest"


class Unauthorized(ApiError):
    """401: who asks is unknown."""

    code, reason = 401, "Unauthorized"

    def __init__(self, message: str = "Unauthorized", **rest: Any) -> None:
        """Say "Unauthorized", as the authentication filter does, unless told otherwise."""
        super().__init__(message, **rest)


class Forbidden(ApiError):
    """403: who asks may not, or the object's state does not allow it."""

    code, reason = 403, "Forbidden"

    @classmethod
    def of(cls, resource: NamedResource | None, name: str, why: str) -> Self:
        """Refuse an action on a resource; without a resource (None) a path is meant."""
        if resource is None:
            return cls(f"forbidden: {why}")
        shown = f"{_group_resource(resource)} {quote(name)}" if name else _group_resource(resource)
        return cls(f"{shown} is forbidden: {why}", details=_details(resource, name))


class NotFound(ApiError):
    """404: there is no such object."""

    code, reason = 404, "NotFound"

    @classmethod
    def of(cls, resource: NamedResource, name: str) -> Self:
        """Say which object is missing."""
        return cls(
            f"{_group_resource(resource)} {quote(name)} not found", details=_details(resource, name)
        )


class MethodNotAllowed(ApiError):
    """405: the path is known, the method is not supported on it."""

    code, reason = 405, "MethodNotAllowed"

    @classmethod
    def of(cls, resource: NamedResource, action: str) -> Self:
        """Say which action ("delete", "watch") the resource does not support."""
        return cls(
            f"{action} is not supported on resources of kind {quote(_group_resource(resource))}",
            details=_details(resource, ""),
        )


class NotAcceptable(ApiError):
    """406: none of the accepted media types can be produced."""

    code, reason = 406, "NotAcceptable"

    @classmethod
    def of(cls, media_types: Sequence[str], converting_to: str = "") -> Self:
        """List what could be produced; `converting_to` names the wanted form, such as a Table's."""
        when = f" when converting to {converting_to}" if converting_to else ""
        return cls(f"only the following media types are accepted{when}: {', '.join(media_types)}")


class Conflict(ApiError):
    """409: the object is not in the state that the request assumes."""

    code, reason = 409, "Conflict"

    @classmethod
    def of(cls, resource: NamedResource, name: str, why: str) -> Self:
        """Refuse a write because of `why`."""
        return cls(
            f"Operation cannot be fulfilled on {_group_resource(resource)} {quote(name)}: {why}",
            details=_details(resource, name),
        )

    @classmethod
    def modified(cls, resource: NamedResource, name: str) -> Self:
        """Refuse a write whose resourceVersion is not the stored one."""
        return cls.of(
            resource,
            name,
            "the object has been modified; "
            "please apply your changes to the latest version and try again",
        )


class AlreadyExists(ApiError):
    """409: an object of that name is there."""

    code, reason = 409, "AlreadyExists"

    @classmethod
    def of(cls, resource: NamedResource, name: str) -> Self:
        """Say which object exists."""
        return cls(
            f"{_group_resource(resource)} {quote(name)} already exists",
            details=_details(resource, name),
        )

    @classmethod
    def no_unique_name(cls, resource: NamedResource, name: str) -> Self:
        """Say that every name generated from generateName was taken; the client may try again."""
        return cls(
            f"{_group_resource(resource)} {quote(name)} already exists,"
            " the server was not able to generate a unique name for the object",
            details={**_details(resource, name), "retryAfterSeconds": 1},
        )


class Gone(ApiError):
    """410: what was asked for is no longer there."""

    code, reason = 410, "Gone"


class Expired(ApiError):
    """410: a resourceVersion or continue token is older than the history that is kept."""

    code, reason = 410, "Expired"


class RequestEntityTooLarge(ApiError):
    """413: the body is larger than the server reads."""

    code, reason = 413, "RequestEntityTooLarge"

    @classmethod
    def of(cls, detail: str) -> Self:
        """Say what was too large, such as "limit is 3145728"."""
        return cls(f"Request entity too large: {detail}")


class UnsupportedMediaType(ApiError):
    """415: the body's media type is not understood."""

    code, reason = 415, "UnsupportedMediaType"

    @classmethod
    def of(cls, media_types: Sequence[str]) -> Self:
        """List what is understood."""
        return cls(
            "the body of the request was in an unknown format - accepted media types include: "
            + ", ".join(media_types)
        )


class Invalid(ApiError):
    """422: the object was understood and its content is wrong."""

    code, reason = 422, "Invalid"

    @classmethod
    def of(cls, kind: NamedKind, name: str, errors: Sequence[FieldError]) -> Self:
        """Say what is wrong with an object, one cause per error, in order."""
        shown = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
        text = aggregate(errors)
        details = _named(kind.group, kind.kind, name)
        if errors:
            details["causes"] = [error.cause() for error in errors]
        return cls(
            f"{shown} {quote(name)} is invalid" + (f": {text}" if text else ""), details=details
        )


class TooManyRequests(ApiError):
    """429: try again later."""

    code, reason = 429, "TooManyRequests"

    def __init__(self, message: str, *, retry_after_seconds: int = 0, **rest: Any) -> None:
        """Ask for a pause of so many seconds; 0 leaves it to the client."""
        if retry_after_seconds:
            rest["details"] = {
                **(rest.get("details") or {}),
                "retryAfterSeconds": retry_after_seconds,
            }
        super().__init__(message, **rest)


class InternalError(ApiError):
    """500: the server failed; the fault is not the client's."""

    code, reason = 500, "InternalError"

    @classmethod
    def of(cls, error: object) -> Self:
        """Word an unexpected failure."""
        return cls(
            f"Internal error occurred: {error}", details={"causes": [{"message": str(error)}]}
        )


class ServerTimeout(ApiError):
    """500: an operation could not be completed for now."""

    code, reason = 500, "ServerTimeout"

    @classmethod
    def of(cls, resource: NamedResource, operation: str, retry_after_seconds: int) -> Self:
        """Name the operation ("create") that may be tried again."""
        details = {**_details(resource, operation), "retryAfterSeconds": retry_after_seconds}
        return cls(
            f"The {operation} operation against {_group_resource(resource)}"
            " could not be completed at this time, please try again.",
            details=details,
        )


class ServiceUnavailable(ApiError):
    """503: the server cannot answer now."""

    code, reason = 503, "ServiceUnavailable"


class Timeout(ApiError):
    """504: the request did not finish in time."""

    code, reason = 504, "Timeout"

    @classmethod
    def of(cls, what: str, retry_after_seconds: int = 0) -> Self:
        """Word a timeout; a pause of 0 seconds is left out."""
        details = {"retryAfterSeconds": retry_after_seconds} if retry_after_seconds else None
        return cls(f"Timeout: {what}", details=details)

    @classmethod
    def too_large_resource_version(cls, wanted: int, current: int) -> Self:
        """Say that a resourceVersion lies in the future."""
        cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
        return cls(
            f"Timeout: Too large resource version: {wanted}, current: {current}",
            details={"causes": [cause], "retryAfterSeconds": 1},
        )


def _group_resource(resource: NamedResource) -> str:
    return f"{resource.plural}.{resource.group}" if resource.group else resource.plural


def _details(resource: NamedResource, name: str) -> Object:
    return _named(resource.group, resource.plural, name)


def _named(group: str, kind: str, name: str) -> Object:
    """Return StatusDetails; empty members are left out, as they are on the wire."""
    return {
        key: value for key, value in (("name", name), ("group", group), ("kind", kind)) if value
    }


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
