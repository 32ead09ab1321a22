"""The door of a server: who is calling, by the auth tables that his own request sees.

A `Guard` is shared by the writer's and the readers' threads. It keeps the newest authority that any
of them has read; a snapshot or batch with another auth revision reads its own tables, so that what
was changed at any server counts for every request that comes after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from datastore.errors import DatastoreError, RequestTooLarge
from datastore.errors.auth import AuthRevisionOld, InvalidAuthToken
from datastore.mvcc.auth import rules
from datastore.mvcc.auth.authority import Authority
from datastore.mvcc.auth.model import FIRST_REVISION, Access, AuthState, AuthTables, NamedUser
from datastore.mvcc.auth.tokens.kind import Moment
from datastore.mvcc.model import RangeQuery, Txn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from datastore.mvcc.auth.model import Credentials, Token
    from datastore.mvcc.auth.tokens.kind import Tokens
    from datastore.mvcc.model import Head, State


class Source(Protocol):
    """What a guard reads: a snapshot, or a batch's transaction."""

    def auth(self) -> AuthTables:
        """Return everything of auth but the tokens."""

    def token(self, digest: bytes) -> Token | None:
        """Return a simple token."""

    def lease_keys(self, lease: int) -> list[Head]:
        """Return the live heads attached to a lease."""

    def leased_keys(self) -> list[bytes]:
        """Return every live key that has a lease."""


class Judge:
    """One caller before one authority: what he asks for is granted, or refused by an error."""

    def __init__(self, authority: Authority, identity: NamedUser | None, source: Source) -> None:
        self.authority = authority
        self.identity = identity
        self._source = source

    @property
    def is_ahead(self) -> bool:
        """Whether the caller was named at a later auth revision than this one."""
        return self.identity is not None and self.identity.revision > self.authority.revision

    def user(self) -> NamedUser:
        """Require a user, whatever he may do."""
        return self.authority.require_user(self.identity)

    def root(self) -> None:
        """Require the role root."""
        self.authority.require_root(self.identity)

    def self_or_root(self, name: str) -> None:
        """Require that user, or the role root; nobody has the empty name, as in etcd."""
        if name != (self.identity.name if self.identity else ""):
            self.root()

    def holder_or_root(self, role: str) -> None:
        """Require a holder of a role, or of root."""
        user = self.authority.user(self.identity.name) if self.identity else None
        if user is None or role not in user.roles:
            self.root()

    def read(self, key: bytes, end: bytes = b"") -> None:
        """Require that all of a range may be read."""
        self.authority.require_keys(self.identity, Access.READ, key, end)

    def write(self, key: bytes, end: bytes = b"") -> None:
        """Require that all of a range may be written."""
        self.authority.require_keys(self.identity, Access.WRITE, key, end)

    def each(self, access: Access, keys: Iterable[bytes]) -> None:
        """Require that every one of the keys may be read, or written; root always may."""
        self.authority.require_each(self.identity, access, keys)

    def lease(self, access: Access, lease: int) -> None:
        """Require that every key attached to a lease may be read, or written."""
        if not self.authority.is_root(self.identity):
            self.each(access, [head.key for head in self._source.lease_keys(lease)])

    def every_lease(self, access: Access) -> None:
        """Require that every key attached to any lease may be read, or written."""
        if not self.authority.is_root(self.identity):
            self.each(access, self._source.leased_keys())


class Guard:
    """Knows the tokens, and the newest authority; see the module."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        first = AuthTables(AuthState(enabled=False, revision=FIRST_REVISION), {}, {})
        self._newest = Authority(first)

    def authority(self, source: Source, revision: int) -> Authority:
        """Return the authority of the auth revision that the source shows."""
        known = self._newest
        if known.revision == revision:
            return known
        read = Authority(source.auth())
        if read.revision > known.revision:
            self._newest = read
        return read

    def judge(self, source: Source, state: State, caller: Credentials) -> Judge:
        """Return the judge of a caller in a snapshot whose state has auth on."""
        authority = self.authority(source, state.auth)
        return self.judge_by(authority, source, state.now, caller)

    def check(self, source: Source, state: State, request: Any) -> None:
        """Refuse a read that its caller may not make; only for a state that has auth on.

        A token of an auth revision to come is refused too, as etcd does for reads of keys alone.
        """
        judge = self.judge(source, state, request.caller)
        rules.check(judge, request)
        if isinstance(request, RangeQuery | Txn) and judge.is_ahead:
            raise AuthRevisionOld

    def refusals(
        self, source: Source, state: State, requests: Iterable[Any]
    ) -> dict[Any, DatastoreError]:
        """Return why reads are refused, those alone that are."""
        refused: dict[Any, DatastoreError] = {}
        for request in requests:
            try:
                self.check(source, state, request)
            except DatastoreError as error:
                refused[request] = error
        return refused

    def judge_by(
        self, authority: Authority, source: Source, now: int, caller: Credentials
    ) -> Judge:
        """Return the judge of a caller by an authority.

        InvalidAuthToken for a bad token, RequestTooLarge where his name is a byte too many.
        """
        identity = self._identify(authority, source, now, caller)
        if caller.room is not None and identity is not None and identity.size > caller.room:
            raise RequestTooLarge
        return Judge(authority, identity, source)

    def _identify(
        self, authority: Authority, source: Source, now: int, caller: Credentials
    ) -> NamedUser | None:
        """Return the caller's user: the token's, even beside a certificate, else the latter's."""
        token, common_name, _ = caller
        if token is not None:
            at = Moment(authority.revision, now, authority.settled)
            identity = self.tokens.identify(token, at, source.token)
            if identity is None:
                raise InvalidAuthToken
            return identity
        if common_name is not None:
            return NamedUser(common_name, authority.revision)
        return None
