"""Auth in a batch: the check of each write, and the requests of auth itself.

A batch sees what the requests before it in the same batch have changed: a user who loses a
permission there is refused from the next request on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from datastore.errors.auth import AuthNotEnabled
from datastore.mvcc.auth import rules
from datastore.mvcc.auth.authority import Authority
from datastore.mvcc.auth.management import changed, manage
from datastore.mvcc.auth.model import AuthChanges

if TYPE_CHECKING:
    from datastore.mvcc.auth.guard import Judge
    from datastore.mvcc.auth.model import AuthTables, Credentials, Token
    from datastore.mvcc.auth.requests import ManageAuth, RenewTokens, StoreToken
    from datastore.mvcc.batch import BatchState
    from datastore.mvcc.model import Head


class BatchSource:
    """What a guard reads of a batch, its own changes included."""

    def __init__(self, batch: BatchState) -> None:
        self._batch = batch

    def auth(self) -> AuthTables:
        """Return everything of auth but the tokens."""
        return self._batch.tx.auth()

    def token(self, digest: bytes) -> Token | None:
        """Return a simple token."""
        return self._batch.tx.token(digest)

    def lease_keys(self, lease: int) -> list[Head]:
        """Return the live heads attached to a lease."""
        self._batch.flush()
        return self._batch.tx.lease_keys(lease)

    def leased_keys(self) -> list[bytes]:
        """Return every live key that has a lease."""
        self._batch.flush()
        return self._batch.tx.leased_keys()


def check_write(batch: BatchState, request: Any) -> None:
    """Refuse a client's write that he may not make; only while auth is on."""
    rules.check(_judge(batch, request.caller), request)


def manage_auth(batch: BatchState, request: ManageAuth) -> int:
    """Change users, roles or permissions, or turn auth on or off; return the store's revision."""
    if batch.auth:
        _judge(batch, request.caller).root()
    batch.flush()
    tables = batch.tx.auth()
    changes = manage(tables, request.change)
    if changes != AuthChanges():
        batch.changes.auth = changes
        batch.flush()
        tables = changed(tables, changes)
        batch.auth = tables.state.revision if tables.state.enabled else 0
        batch.authority = Authority(tables, settled=False)
    return batch.revision


def store_token(batch: BatchState, request: StoreToken) -> int:
    """Store a token of this auth revision and return the store's; 0 for one that is out of date."""
    if not batch.auth:
        raise AuthNotEnabled
    if batch.auth != request.revision:
        return 0
    changes = _token_changes(batch)
    changes.put_tokens.append(request.token._replace(expires=batch.now + request.life))
    changes.drop_tokens_before = batch.now
    return batch.revision


def renew_tokens(batch: BatchState, request: RenewTokens) -> int:
    """Renew those that are still there, and return until when."""
    changes = _token_changes(batch)
    changes.renew_tokens += request.digests
    changes.renew_until = batch.now + request.life
    return changes.renew_until


def _token_changes(batch: BatchState) -> AuthChanges:
    if batch.changes.auth is None:
        batch.changes.auth = AuthChanges()
    return batch.changes.auth


def _judge(batch: BatchState, caller: Credentials) -> Judge:
    guard, source = batch.server.guard, BatchSource(batch)
    if batch.authority is None:
        batch.authority = guard.authority(source, batch.auth)
    return guard.judge_by(batch.authority, source, batch.now, caller)
