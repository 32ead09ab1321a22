"""The answers 500 to 504: the server failed, or cannot do it now.

Each class method `of(...)` words the message as upstream does. Source: the status constructors of
the API machinery, v1.35.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from control_plane.api.errors.base import ApiError, details_of, group_resource

if TYPE_CHECKING:
    from control_plane.api.errors.base import NamedResource


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
        details = {**details_of(resource, operation), "retryAfterSeconds": retry_after_seconds}
        return cls(
            f"The {operation} operation against {group_resource(resource)}"
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
