"""How a failed call is told over HTTP: the status, and the body `{"code": …, "message": …}`."""

from __future__ import annotations

from typing import NamedTuple

import orjson

from datastore.errors import DatastoreError, InvalidRequest


class Status(NamedTuple):
    """A gRPC code's number, and the HTTP status that stands for it."""

    number: int
    http: int


STATUSES = {
    "OK": Status(0, 200),
    "CANCELLED": Status(1, 499),
    "UNKNOWN": Status(2, 500),
    "INVALID_ARGUMENT": Status(3, 400),
    "DEADLINE_EXCEEDED": Status(4, 504),
    "NOT_FOUND": Status(5, 404),
    "ALREADY_EXISTS": Status(6, 409),
    "PERMISSION_DENIED": Status(7, 403),
    "RESOURCE_EXHAUSTED": Status(8, 429),
    "FAILED_PRECONDITION": Status(9, 400),
    "ABORTED": Status(10, 409),
    "OUT_OF_RANGE": Status(11, 400),
    "UNIMPLEMENTED": Status(12, 501),
    "INTERNAL": Status(13, 500),
    "UNAVAILABLE": Status(14, 503),
    "DATA_LOSS": Status(15, 500),
    "UNAUTHENTICATED": Status(16, 401),
}


class BadBody(InvalidRequest):
    """The body is no JSON of the message that the path wants."""


class DeadlinePassed(DatastoreError):
    """context deadline exceeded"""

    code = "DEADLINE_EXCEEDED"


class Failure(NamedTuple):
    """An error as it is answered."""

    status: int
    body: dict[str, int | str]
    headers: dict[str, str]

    @property
    def text(self) -> bytes:
        """The body as JSON."""
        return orjson.dumps(self.body)


def failure_of(error: DatastoreError) -> Failure:
    """Return how an error is answered."""
    number, http = STATUSES[error.code]
    message = str(error)
    headers = {"www-authenticate": " ".join(message.split())} if http == 401 else {}
    return Failure(http, {"code": number, "message": message}, headers)
