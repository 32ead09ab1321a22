"""--token-auth-file: lines of token,user,uid,"group1,group2", read once at the start.

Source: the token file authenticator of Kubernetes v1.35.
"""

import csv
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from control_plane.apiserver.auth.token_check import Verified
from control_plane.apiserver.auth.user import User, authenticated
from control_plane.apiserver.config_error import ConfigError


class StaticTokens:
    """The users of a file; good for the server's own audiences."""

    def __init__(self, users: Mapping[bytes, User], audiences: Sequence[str]) -> None:
        """`users` maps the SHA-256 of each token to its user."""
        self._users = users
        self._audiences = tuple(audiences)

    async def verified(self, token: str, audiences: Sequence[str]) -> Verified | None:
        """The user whose line has the token."""
        user = self._users.get(_digest(token))
        common = tuple(audience for audience in audiences if audience in self._audiences)
        return Verified(user, common) if user is not None and common else None


def read_tokens(path: Path) -> dict[bytes, User]:
    """Read the file; ConfigError names a bad line by its number and shows nothing of it."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return dict(_users(path, csv.reader(file, skipinitialspace=True)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        text = error.strerror if isinstance(error, OSError) else "is no text of lines"
        raise ConfigError(f"--token-auth-file {path}: {text}: give a file of lines") from error


def _users(path: Path, lines: Iterator[list[str]]) -> Iterator[tuple[bytes, User]]:
    for number, fields in enumerate(lines, start=1):
        if not fields:
            continue
        if len(fields) < 3 or not fields[0] or not fields[1]:
            raise ConfigError(
                f"--token-auth-file {path}: line {number}: "
                'write token,user,uid or token,user,uid,"group1,group2"'
            )
        groups = tuple(filter(None, fields[3].split(","))) if len(fields) > 3 else ()
        yield _digest(fields[0]), authenticated(fields[1], groups, fields[2])


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
