"""What all API errors are: the metav1.Status that goes over the wire, and how it names things."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from control_plane.api.objects import Object


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

    `details` follow StatusDetails and are left out of the body when None; retryAfterSeconds in them
    becomes the Retry-After header. Used itself for statuses without a class of their own:
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
        self._has_details = details is not None
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
        if self._has_details:
            body["details"] = self.details
        return {**body, "code": self.code}


def group_resource(resource: NamedResource) -> str:
    """Return "deployments.apps", or "pods"."""
    return f"{resource.plural}.{resource.group}" if resource.group else resource.plural


def details_of(resource: NamedResource, name: str) -> Object:
    """Return the StatusDetails of an object."""
    return named(resource.group, resource.plural, name)


def named(group: str, kind: str, name: str) -> Object:
    """Return StatusDetails; empty members are left out, as they are on the wire."""
    return {
        key: value for key, value in (("name", name), ("group", group), ("kind", kind)) if value
    }
