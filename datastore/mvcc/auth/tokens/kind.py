"""What a kind of token can do. Every method may be called from any thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from datastore.mvcc.auth.model import NamedUser, Token


class Issued(NamedTuple):
    """A new token: what the client gets, and the row that makes it good, if it needs one."""

    text: str
    row: Token | None


class Moment(NamedTuple):
    """What a token is held against: an auth revision, and the time.

    A revision that is not settled may never come to be: nothing may be remembered under it.
    """

    revision: int
    now: int
    settled: bool = True


class Tokens(Protocol):
    """A kind of token. Times are milliseconds of the database's clock.

    life is what a use gives a token, and renewing how often, in seconds, the database is told of
    uses; None when it keeps none.
    """

    life: int
    renewing: float | None

    def issue(self, user: str, revision: int, now: int) -> Issued:
        """Make a token for a user."""

    def identify(
        self, token: str, at: Moment, stored: Callable[[bytes], Token | None]
    ) -> NamedUser | None:
        """Return whose token it is, None for a bad one.

        `stored` reads a row by digest from the snapshot or batch at hand.
        """

    def used(self) -> list[bytes]:
        """Return the digests of the tokens used since they were last renewed."""

    def renewed(self, digests: Iterable[bytes]) -> None:
        """Note that the database has given some tokens their whole life again."""
