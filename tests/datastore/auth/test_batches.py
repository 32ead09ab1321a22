"""Auth in batches and tables: what a batch changes counts for the rest of it, and is read again."""

import pytest

from datastore.errors.auth import AuthRevisionOld, InvalidAuthToken, PermissionDenied, UserNameEmpty
from datastore.mvcc.auth.model import (
    Access,
    AuthState,
    Credentials,
    Permission,
    Role,
    Token,
    User,
)
from datastore.mvcc.auth.requests import (
    AddRole,
    AddUser,
    DeleteRole,
    DeleteUser,
    EnableAuth,
    GrantPermission,
    GrantRole,
    ManageAuth,
    Management,
    RenewTokens,
    RevokePermission,
    StoreToken,
)
from datastore.mvcc.model import Put, Txn
from datastore.mvcc.requests import GrantLease
from tests.datastore.core import Core

ROOT, ANN = Credentials(common_name="root"), Credentials(common_name="ann")
PEOPLE: tuple[Management, ...] = (
    *(AddUser("root", b"", True), GrantRole("root", "root")),
    *(AddUser("ann", b"hash", False), AddRole("r"), GrantRole("ann", "r")),
    GrantPermission("r", Permission(Access.WRITE, b"a", b"b")),
    EnableAuth(),
)


@pytest.fixture
def people(core: Core) -> Core:
    """root, and ann who may write [a, b); auth is on."""
    assert all(isinstance(result, int) for result in core.commit(*map(ManageAuth, PEOPLE)))
    return core


def test_the_tables_hold_what_was_put_there(people: Core) -> None:
    with people.session.snapshot() as snapshot:
        state, tables = snapshot.state(), snapshot.auth()

    assert state.auth == 7
    assert tables.state == AuthState(enabled=True, revision=7)
    assert tables.users == {
        "root": User("root", b"", True, ("root",)),
        "ann": User("ann", b"hash", False, ("r",)),
    }
    assert tables.roles == {"r": Role("r", (Permission(Access.WRITE, b"a", b"b"),))}


def test_names_are_any_text_and_never_mixed_up(core: Core) -> None:
    names = ["a", "A", "á", "a ", "a\0", "%", "名"]
    core.commit(*(ManageAuth(AddUser(name, name.encode(), False)) for name in names))
    core.commit(*(ManageAuth(DeleteUser(name)) for name in names[1:]))

    with core.session.snapshot() as snapshot:
        assert snapshot.auth().users == {"a": User("a", b"a")}


def test_a_batch_sees_what_it_has_changed(people: Core) -> None:
    results = people.commit(
        Put(b"a1", caller=ANN),
        ManageAuth(RevokePermission("r", b"a", b"b"), ROOT),
        Put(b"a2", caller=ANN),
        ManageAuth(AddRole("of ann"), ANN),
        ManageAuth(GrantRole("ann", "root"), ROOT),
        Put(b"z", caller=ANN),
        ManageAuth(AddRole("of ann"), ANN),
        Put(b"a3"),
        GrantLease(1, 600),
    )

    refused = [type(result) for result in results if isinstance(result, Exception)]
    assert refused == [PermissionDenied, PermissionDenied, UserNameEmpty, UserNameEmpty]
    assert [key for key, *_ in people.live()] == [b"a1", b"z"]


def test_operations_inside_a_txn_are_asked_for_by_its_caller(people: Core) -> None:
    inner = Txn((), (Put(b"a1", caller=ROOT), Put(b"z", caller=ROOT)), ())

    (refused,) = people.commit(Txn((), (inner,), (), ANN))
    assert isinstance(refused, PermissionDenied)


def test_a_role_that_goes_goes_from_its_holders(people: Core) -> None:
    people.commit(ManageAuth(DeleteRole("r"), ROOT))

    with people.session.snapshot() as snapshot:
        tables = snapshot.auth()
    assert tables.users["ann"].roles == ()
    assert tables.roles == {}


def test_a_token_of_an_older_revision_is_not_stored(people: Core) -> None:
    new, old = Token(b"n" * 32, "ann", 0), Token(b"o" * 32, "ann", 0)

    results = people.commit(StoreToken(new, 7, 60_000), StoreToken(old, 6, 60_000))
    with people.session.snapshot() as snapshot:
        now = snapshot.state().now
        stored = snapshot.token(new.digest)
        assert snapshot.token(old.digest) is None

    assert [bool(result) for result in results] == [True, False]
    assert stored is not None
    assert now <= stored.expires <= now + 60_000
    people.commit(RenewTokens([new.digest, b"gone" * 8], 600_000))
    with people.session.snapshot() as snapshot:
        renewed = snapshot.token(new.digest)
        assert renewed is not None
        assert renewed.expires > stored.expires
        assert snapshot.token(b"gone" * 8) is None


def test_tokens_go_with_their_user(people: Core) -> None:
    people.commit(
        StoreToken(Token(b"a" * 32, "ann", 0), 7, 60_000),
        StoreToken(Token(b"r" * 32, "root", 0), 7, 60_000),
        ManageAuth(DeleteUser("ann"), ROOT),
    )

    with people.session.snapshot() as snapshot:
        assert snapshot.token(b"a" * 32) is None
        assert snapshot.token(b"r" * 32) is not None


def test_an_old_identity_is_refused(people: Core) -> None:
    with people.session.snapshot() as snapshot:
        judge = people.guard.judge(snapshot, snapshot.state(), ANN)
    identity = judge.user()

    judge.write(b"a1")
    with pytest.raises(AuthRevisionOld):
        judge.authority.require_keys(identity._replace(revision=6), Access.WRITE, b"a1")


def test_a_token_ends_within_the_batch_that_deletes_its_user(people: Core) -> None:
    text, row = people.guard.tokens.issue("ann", 7, 0)
    assert row is not None
    people.commit(StoreToken(row, 7, 60_000))
    by_token = Credentials(token=text)

    before, _, after = people.commit(
        Put(b"a1", caller=by_token),
        ManageAuth(DeleteUser("ann"), ROOT),
        Put(b"a1", caller=by_token),
    )
    assert before.revision == people.revision()
    assert isinstance(after, InvalidAuthToken)
