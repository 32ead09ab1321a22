"""No tokens at all: `--auth-token ''`, for a store whose users all come with certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datastore.errors import ConfigError
from datastore.errors.auth import AuthenticationFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from datastore.mvcc.auth.model import NamedUser, Token
    from datastore.mvcc.auth.tokens.kind import Issued, Moment


class NoTokens:
    """Issues none, and knows none."""

    life = 0
    renewing: float | None = None

    def __init__(self, options: dict[str, str], ttl: float) -> None:
        """Refuse options: there is nothing that they could say."""
        del ttl
        if options:
            raise ConfigError("--auth-token: options without a kind of token")

    def issue(self, user: str, revision: int, now: int) -> Issued:
        """Refuse."""
        del user, revision, now
        raise AuthenticationFailed

    def identify(
        self, token: str, at: Moment, stored: Callable[[bytes], Token | None]
    ) -> NamedUser | None:
        """Know no token."""
        del token, at, stored
        return None

    def used(self) -> list[bytes]:
        """Return nothing."""
        return []

    def renewed(self, digests: Iterable[bytes]) -> None:
        """Do nothing."""
