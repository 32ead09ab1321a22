"""Auth as the services call it: checks, reads, changes and tokens over the store's threads.

Owned by the store; `run` is its task, which tells the database every few seconds of the tokens that
were used. `may_be_on` is false only where nobody else can turn auth on and nobody has, so that a
store without auth pays for none of this.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, TypeVar

from datastore.errors.auth import AuthenticationFailed, AuthNotEnabled, NoPasswordUser
from datastore.mvcc.auth.passwords import check_length
from datastore.mvcc.auth.requests import (
    AddUser,
    ChangePassword,
    EnableAuth,
    ManageAuth,
    RenewTokens,
    StoreToken,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from datastore.mvcc.auth.guard import Guard, Judge
    from datastore.mvcc.auth.model import AuthTables, Credentials, User
    from datastore.mvcc.auth.passwords import Passwords
    from datastore.mvcc.auth.requests import Management
    from datastore.mvcc.auth.tokens.kind import Issued
    from datastore.mvcc.backend import Session
    from datastore.mvcc.lane import Lane
    from datastore.mvcc.model import State
    from datastore.mvcc.writer import Writer

T = TypeVar("T")
log = logging.getLogger(__name__)
LOGGED = 64  # characters of a name that anybody may send, of megabytes


class Auth:
    """The auth of a running store."""

    def __init__(
        self,
        guard: Guard,
        passwords: Passwords,
        *,
        writer: Writer,
        lane: Lane,
        may_be_on: bool,
    ) -> None:
        self.guard = guard
        self.may_be_on = may_be_on
        self._passwords = passwords
        self._writer = writer
        self._lane = lane

    async def check(self, caller: Credentials, need: Callable[[Judge], object]) -> None:
        """Refuse a caller who has not what a call needs, by a snapshot of now."""
        if self.may_be_on:
            await self._lane.call(lambda session: self._check(session, caller, need))

    async def read(
        self,
        caller: Credentials,
        need: Callable[[Judge], object],
        look: Callable[[AuthTables], T],
    ) -> tuple[int, T]:
        """Return the store's revision and what `look` finds, if the caller has what it needs."""

        def reading(session: Session) -> tuple[int, T]:
            with session.snapshot() as snapshot:
                state = snapshot.state()
                if state.auth:
                    need(self.guard.judge(snapshot, state, caller))
                return state.revision, look(snapshot.auth())

        return await self._lane.call(reading)

    async def change(self, change: Management, caller: Credentials) -> int:
        """Make a management call and return the store's revision."""
        if isinstance(change, EnableAuth):
            self.may_be_on = True
        return int(await self._writer.submit(ManageAuth(change, caller)))

    async def add_user(
        self, name: str, password: str, *, no_password: bool, caller: Credentials
    ) -> int:
        """Add a user, whose password may be empty; hashing it is only for those who may add."""
        hashed = b"" if no_password else await self._hash(name, password, caller)
        return await self.change(AddUser(name, hashed, no_password), caller)

    async def change_password(
        self, name: str, password: str, hashed: bytes, *, caller: Credentials
    ) -> int:
        """Give a user a password, or a hash if the password is empty."""
        if password:
            hashed = await self._hash(name, password, caller)
        return await self.change(ChangePassword(name, hashed), caller)

    async def authenticate(self, name: str, password: str) -> tuple[int, str]:
        """Return the store's revision and a new token for a user who knows his password.

        When auth changes while the password is checked, it is checked again.
        """
        while True:
            state, user = await self._lane.call(lambda session: self._look_up(session, name))
            await self._check_password(state, user, name, password)
            tokens = self.guard.tokens
            issued = await asyncio.to_thread(tokens.issue, name, state.auth, state.now)
            revision = await self._accept(issued, state.auth, tokens.life)
            if revision:
                return revision, issued.text
            log.info("auth changed while a password was checked, again user=%r", _cut(name))

    async def run(self) -> None:
        """Keep the tokens that are used alive at all servers, until cancelled."""
        tokens = self.guard.tokens
        while tokens.renewing:
            await asyncio.sleep(tokens.renewing)
            used = tokens.used()
            if used:
                await self._writer.submit(RenewTokens(used, tokens.life))
                tokens.renewed(used)

    def close(self) -> None:
        """End the threads that hash."""
        self._passwords.close()

    def _check(
        self, session: Session, caller: Credentials, need: Callable[[Judge], object]
    ) -> None:
        with session.snapshot() as snapshot:
            state = snapshot.state()
            if state.auth:
                need(self.guard.judge(snapshot, state, caller))

    def _look_up(self, session: Session, name: str) -> tuple[State, User | None]:
        with session.snapshot() as snapshot:
            state = snapshot.state()
            authority = self.guard.authority(snapshot, state.auth) if state.auth else None
            return state, authority.user(name) if authority else None

    async def _hash(self, name: str, password: str, caller: Credentials) -> bytes:
        check_length(password)
        await self.check(caller, lambda judge: judge.root())
        return await self._passwords.hash(name, password)

    async def _check_password(
        self, state: State, user: User | None, name: str, password: str
    ) -> None:
        if not state.auth:
            raise AuthNotEnabled
        if user is None:
            log.warning("authentication of an unknown user name=%r", _cut(name))
            raise AuthenticationFailed
        if user.no_password:
            raise NoPasswordUser
        if not await self._passwords.matches(name, password, user.password):
            log.warning("authentication with a wrong password user=%r", _cut(name))
            raise AuthenticationFailed

    async def _accept(self, issued: Issued, auth_revision: int, life: int) -> int:
        """Make a token good and return the store's revision, 0 if auth has changed meanwhile."""
        if issued.row is not None:
            stored = StoreToken(issued.row, auth_revision, life)
            return int(await self._writer.submit(stored))
        state, _ = await self._lane.call(lambda session: self._look_up(session, ""))
        return state.revision if state.auth == auth_revision else 0


def _cut(name: str) -> str:
    return name if len(name) <= LOGGED else name[:LOGGED] + "…"
