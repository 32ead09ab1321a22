"""The answers 400 to 429: the server refuses a request.

Each class method `of(...)` words the message as upstream does. Source: the status constructors of
the API machinery, v1.35.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from control_plane.api.errors.base import ApiError, details_of, group_resource, named
from control_plane.api.field_error import aggregate
from control_plane.api.go_syntax import quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control_plane.api.errors.base import NamedKind, NamedResource
    from control_plane.api.field_error import FieldError


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
        shown = f"{group_resource(resource)} {quote(name)}" if name else group_resource(resource)
        return cls(f"{shown} is forbidden: {why}", details=details_of(resource, name))


class NotFound(ApiError):
    """404: there is no such object."""

    code, reason = 404, "NotFound"

    @classmethod
    def of(cls, resource: NamedResource, name: str) -> Self:
        """Say which object is missing."""
        return cls(
            f"{group_resource(resource)} {quote(name)} not found",
            details=details_of(resource, name),
        )


class MethodNotAllowed(ApiError):
    """405: the path is known, the method is not supported on it."""

    code, reason = 405, "MethodNotAllowed"

    @classmethod
    def of(cls, resource: NamedResource, action: str) -> Self:
        """Say which action ("delete", "watch") the resource does not support."""
        return cls(
            f"{action} is not supported on resources of kind {quote(group_resource(resource))}",
            details=details_of(resource, ""),
        )

    @classmethod
    def on_path(cls) -> Self:
        """Say it as a router does, which knows paths and methods and no resources."""
        return cls("the server does not allow this method on the requested resource", details={})


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
            f"Operation cannot be fulfilled on {group_resource(resource)} {quote(name)}: {why}",
            details=details_of(resource, name),
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
            f"{group_resource(resource)} {quote(name)} already exists",
            details=details_of(resource, name),
        )

    @classmethod
    def no_unique_name(cls, resource: NamedResource, name: str) -> Self:
        """Say that every name generated from generateName was taken; the client may try again."""
        return cls(
            f"{group_resource(resource)} {quote(name)} already exists,"
            " the server was not able to generate a unique name for the object",
            details={**details_of(resource, name), "retryAfterSeconds": 1},
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
        details = named(kind.group, kind.kind, name)
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
