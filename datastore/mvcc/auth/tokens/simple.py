"""Simple tokens: random text that the database knows, so that it is good at every server.

The form is etcd's, sixteen letters, a dot and a number. The database keeps only its SHA-256, so
that a copy of the database lets nobody in. Each use gives a token its whole life again: in memory
at once, in the database every few seconds for all that were used (`used`), so that no server
takes a token for dead that another one has just seen alive.

What is remembered belongs to one auth revision: ending tokens (a deleted user, another password,
auth turned off) raises it, and all is read again. Bound: `REMEMBERED` tokens, then it is forgotten.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import threading
from typing import TYPE_CHECKING

from datastore.errors import ConfigError
from datastore.mvcc.auth.model import NamedUser, Token
from datastore.mvcc.auth.tokens.kind import Issued

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from datastore.mvcc.auth.tokens.kind import Moment

LETTERS = 16
DEFAULT_TTL = 300.0
REMEMBERED = 10_000
MOST_RENEWING = 5.0  # seconds between two renewals of a token in the database
_FORM = re.compile(r"[^.]*\.[0-9]{1,20}", re.ASCII)


class SimpleTokens:
    """Issues tokens that are rows of the database; see the module."""

    def __init__(self, options: dict[str, str], ttl: float) -> None:
        """Take the life of a token in seconds; 0 or less is the default."""
        if options:
            raise ConfigError(f"--auth-token simple has no option {next(iter(options))!r}")
        life = ttl if ttl > 0 else DEFAULT_TTL
        self.life = int(life * 1000)
        self.renewing: float | None = min(life / 10, MOST_RENEWING)
        self._lock = threading.Lock()
        self._revision = 0
        self._known: dict[bytes, Token] = {}
        self._used: set[bytes] = set()
        self._renewing: set[bytes] = set()  # used before the renewal that goes on

    def issue(self, user: str, revision: int, now: int) -> Issued:
        """Make a token; it is good once its row is committed."""
        del revision
        letters = "".join(secrets.choice(string.ascii_letters) for _ in range(LETTERS))
        text = f"{letters}.{secrets.randbelow(1 << 31)}"
        return Issued(text, Token(digest_of(text), user, now + self.life))

    def identify(
        self, token: str, at: Moment, stored: Callable[[bytes], Token | None]
    ) -> NamedUser | None:
        """Return whose token it is, and give it its whole life again."""
        if not _FORM.fullmatch(token):
            return None
        digest = digest_of(token)
        found = self._recall(digest, at)
        if found is None or found.expires <= at.now:
            found = stored(digest)
        if found is None or found.expires <= at.now:
            return None
        self._remember(found._replace(expires=at.now + self.life), at)
        return NamedUser(found.user, at.revision)

    def used(self) -> list[bytes]:
        """Return the digests of the tokens used since they were last renewed."""
        with self._lock:
            self._renewing |= self._used
            self._used = set()
            return list(self._renewing)

    def renewed(self, digests: Iterable[bytes]) -> None:
        """Note that the database has given some tokens their whole life again."""
        with self._lock:
            self._renewing.difference_update(digests)

    def _recall(self, digest: bytes, at: Moment) -> Token | None:
        with self._lock:
            same = at.settled and at.revision == self._revision
            return self._known.get(digest) if same else None

    def _remember(self, token: Token, at: Moment) -> None:
        with self._lock:
            self._used.add(token.digest)
            if not at.settled or at.revision < self._revision:
                return
            if at.revision > self._revision or len(self._known) >= REMEMBERED:
                self._revision = at.revision
                self._known.clear()
            self._known[token.digest] = token


def digest_of(token: str) -> bytes:
    """Return what the database knows of a token."""
    return hashlib.sha256(token.encode()).digest()
