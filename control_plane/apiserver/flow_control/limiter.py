"""What the HTTP edge asks of whatever limits requests: a seat for each, or TurnedAwayError."""

from typing import Protocol

from control_plane.api.errors import ApiError
from control_plane.apiserver.auth.authz import Attributes
from control_plane.apiserver.auth.user import User
from control_plane.apiserver.flow_control.work_estimate import Work
from control_plane.apiserver.http.departure import Departure

TOO_MANY = "Too many requests, please try again later."

Headers = tuple[tuple[bytes, bytes], ...]


class Seat(Protocol):
    """What a request holds while it is served, or `waits` for; `headers` go with its answer."""

    headers: Headers

    @property
    def waits(self) -> bool:
        """Whether the request may not go on yet."""
        ...

    async def turn(self, patience: float, departure: Departure) -> None:
        """Wait for up to `patience` seconds; raises TurnedAwayError.

        Raises ClientGoneError when the client leaves meanwhile.
        """
        ...

    def release(self) -> None:
        """Give it back; again is harmless."""
        ...


class TurnedAwayError(ApiError):
    """429: the request was not served. Upstream answers it with plain text, not with a Status."""

    code, reason = 429, "TooManyRequests"

    def __init__(self, pause: int, headers: Headers = ()) -> None:
        """`pause` is how many seconds the client should wait; `headers` go with the answer."""
        super().__init__(TOO_MANY, details={"retryAfterSeconds": pause})
        self.headers = headers


class Limiter(Protocol):
    """Decides when a request is served."""

    def grant(self, user: User, asked: Attributes, work: Work) -> Seat:
        """A seat, or one to wait for; raises TurnedAwayError."""
        ...
