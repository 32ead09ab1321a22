"""Users, roles, permissions: what each call answers, refuses and changes. Auth is off mostly."""

import base64

import bcrypt
import pytest

from proto.etcd import rpc_pb2 as pb
from tests.contract.auth import refusals as no
from tests.contract.auth.client import READ, READWRITE, ROOT_PASSWORD, WRITE, AuthClient, secure
from tests.contract.client import Client, refusal
from tests.contract.refusals import REQUEST_TOO_LARGE

LONG = 1_700_000  # characters; more than a request may have, were it a change


@pytest.mark.own_server
async def test_a_fresh_store_has_auth_off_at_revision_one(etcd: Client) -> None:
    async with AuthClient(etcd.address) as client:
        status = await client.status_of_auth()

    assert (status.enabled, status.authRevision, status.header.revision) == (False, 1, 1)


async def test_auth_needs_a_root_with_the_role_root(bare: AuthClient) -> None:
    assert await bare.users() == []
    assert await bare.roles() == []
    assert await refusal(bare.authenticate("root", "x")) == no.NOT_ENABLED
    assert await refusal(bare.enable()) == no.NO_ROOT_USER
    await bare.add_user("root", ROOT_PASSWORD)
    assert await refusal(bare.enable()) == no.NO_ROOT_ROLE
    await bare.give("root", "root")  # which need not exist


async def test_the_auth_revision_while_auth_goes_on_and_off(bare: AuthClient) -> None:
    async with await secure(bare) as root:
        on = await root.status_of_auth()
        await root.enable()  # once more is no error
        assert await root.status_of_auth() == on
        await root.disable()
    off = await bare.status_of_auth()
    await bare.disable()

    assert on.enabled
    assert not off.enabled
    assert off.authRevision == on.authRevision + 1
    assert await bare.status_of_auth() == off


async def test_every_change_counts_and_a_repeated_grant_of_a_role_does_not(
    bare: AuthClient,
) -> None:
    first = await bare.status_of_auth()

    async def changes() -> int:
        return (await bare.status_of_auth()).authRevision - first.authRevision

    await bare.add_user("u", "p")
    await bare.add_role("r")
    await bare.give("u", "r")
    assert await changes() == 3
    await bare.give("u", "r")
    assert await changes() == 3
    await bare.allow("r", READ, b"a")
    await bare.allow("r", READ, b"a")
    assert await changes() == 5
    await bare.change_password("u", "q")
    await bare.disallow("r", b"a")
    await bare.take("u", "r")
    await bare.delete_role("r")
    await bare.delete_user("u")
    assert await changes() == 10
    assert (await bare.status_of_auth()).header.revision == first.header.revision


async def test_headers_carry_the_stores_revision(bare: AuthClient) -> None:
    revision = (await bare.put("k")).header.revision

    assert (await bare.add_user("u", "p")).header.revision == revision
    assert (await bare.add_role("r")).header.revision == revision
    assert (await bare.delete_role("r")).header.revision == revision


async def test_users(bare: AuthClient) -> None:
    for name in ("b", "a", "Z", "ä"):
        await bare.add_user(name, "p")
    await bare.add_role("r")

    assert await bare.users() == ["Z", "a", "b", "ä"]
    assert await refusal(bare.add_user("a", "p")) == no.USER_EXISTS
    assert await refusal(bare.add_user("", "p")) == no.NO_USER
    assert await refusal(bare.add_user("c", "x" * 73)) == no.PASSWORD_TOO_LONG
    assert await refusal(bare.roles_of("c")) == no.USER_NOT_FOUND
    assert await refusal(bare.delete_user("c")) == no.USER_NOT_FOUND
    assert await refusal(bare.change_password("c", "p")) == no.USER_NOT_FOUND
    assert await refusal(bare.give("c", "nothing")) == no.USER_NOT_FOUND
    assert await refusal(bare.give("a", "nothing")) == no.ROLE_NOT_FOUND
    assert await refusal(bare.take("c", "r")) == no.USER_NOT_FOUND
    assert await refusal(bare.take("a", "r")) == no.ROLE_NOT_GRANTED
    await bare.delete_user("a")
    assert await bare.users() == ["Z", "b", "ä"]


async def test_roles_of_a_user_are_in_order_and_go_with_the_role(bare: AuthClient) -> None:
    await bare.add_user("u", "p")
    for role in ("zeta", "alpha", "Beta"):
        await bare.add_role(role)
        await bare.give("u", role)

    assert await bare.roles() == ["Beta", "alpha", "zeta"]
    assert await bare.roles_of("u") == ["Beta", "alpha", "zeta"]
    assert await refusal(bare.add_role("zeta")) == no.ROLE_EXISTS
    assert await refusal(bare.add_role("")) == no.ROLE_EMPTY
    await bare.delete_role("alpha")
    await bare.take("u", "zeta")
    assert await bare.roles_of("u") == ["Beta"]
    assert await refusal(bare.delete_role("alpha")) == no.ROLE_NOT_FOUND


async def test_permissions_are_in_key_order(bare: AuthClient) -> None:
    await bare.add_role("r")
    await bare.allow("r", READ, b"b", b"c")
    await bare.allow("r", WRITE, b"a")
    await bare.allow("r", READWRITE, b"0", b"\0")
    await bare.allow("r", READWRITE, b"a")  # instead of the one on this range

    expected = [(READWRITE, b"0", b"\0"), (READWRITE, b"a", b""), (READ, b"b", b"c")]
    assert await bare.permissions("r") == expected
    assert await refusal(bare.disallow("r", b"b")) == no.PERMISSION_NOT_GRANTED
    assert await refusal(bare.disallow("s", b"b")) == no.ROLE_NOT_FOUND
    await bare.disallow("r", b"b", b"c")
    assert await bare.permissions("r") == expected[:2]


async def test_only_the_first_permission_of_a_key_is_replaced(bare: AuthClient) -> None:
    """Whoever grants the second range of a key again has it twice; revoking takes both."""
    await bare.add_role("r")
    await bare.allow("r", READWRITE, b"a", b"b")
    await bare.allow("r", READWRITE, b"a", b"c")
    await bare.allow("r", READ, b"a", b"c")
    await bare.allow("r", WRITE, b"a", b"b")

    assert await bare.permissions("r") == [
        *((WRITE, b"a", b"b"), (READWRITE, b"a", b"c"), (READ, b"a", b"c"))
    ]
    await bare.disallow("r", b"a", b"c")
    assert await bare.permissions("r") == [(WRITE, b"a", b"b")]


@pytest.mark.parametrize(
    ("key", "end"), [(b"", b""), (b"", b"\0"), (b"b", b"a"), (b"b", b"b")], ids=str
)
async def test_a_permission_needs_a_range(bare: AuthClient, key: bytes, end: bytes) -> None:
    await bare.add_role("r")

    assert await refusal(bare.allow("r", READ, key, end)) == no.BAD_MANAGEMENT
    nothing = pb.AuthRoleGrantPermissionRequest(name="r")
    assert await refusal(bare.auth.RoleGrantPermission(nothing)) == no.PERMISSION_NOT_GIVEN
    assert await refusal(bare.allow("s", READ, b"a")) == no.ROLE_NOT_FOUND


async def test_the_role_root_shows_all_keys_once_it_is_there(bare: AuthClient) -> None:
    assert await refusal(bare.permissions("root")) == no.ROLE_NOT_FOUND
    await bare.add_role("root")
    await bare.allow("root", READ, b"a")
    assert await bare.permissions("root") == [(READWRITE, b"", b"\0")]


async def test_root_stays_while_auth_is_on(bare: AuthClient) -> None:
    await bare.add_role("root")
    async with await secure(bare) as root:
        assert await refusal(root.delete_user("root")) == no.BAD_MANAGEMENT
        assert await refusal(root.take("root", "root")) == no.BAD_MANAGEMENT
        assert await refusal(root.delete_role("root")) == no.BAD_MANAGEMENT
        await root.disable()
        await root.delete_role("root")
        assert await root.roles_of("root") == []
        await root.delete_user("root")


async def test_passwords(bare: AuthClient) -> None:
    """A hash counts where no password is sent, but not when a user is added."""
    hashed = base64.b64encode(bcrypt.hashpw(b"hashed", bcrypt.gensalt(4))).decode()
    await bare.add_user("empty")
    await bare.add_user("certified", "ignored", no_password=True)
    await bare.auth.UserAdd(pb.AuthUserAddRequest(name="u", hashedPassword=hashed))
    async with await secure(bare) as root:
        assert await bare.login("empty", "")
        assert await refusal(bare.login("certified", "ignored")) == no.NO_PASSWORD_USER
        assert await refusal(bare.login("certified", "")) == no.NO_PASSWORD_USER
        assert await refusal(bare.login("nobody", "")) == no.FAILED
        assert await refusal(bare.login("n" * LONG, "")) == no.FAILED
        assert await refusal(bare.login("u", "p" * LONG)) == no.FAILED
        assert await refusal(bare.login("u", "hashed")) == no.FAILED
        assert await bare.login("u", "")
        await root.change_password("u", hashed=hashed)
        assert await bare.login("u", "hashed")
        assert await refusal(root.change_password("u", hashed="!")) == no.NO_PASSWORD_USER
        await root.change_password("u")
        assert await refusal(bare.login("u", "")) == no.FAILED  # no password matches any more
        await root.change_password("certified", "given")
        assert await refusal(bare.login("certified", "given")) == no.NO_PASSWORD_USER


async def test_requests_of_auth_have_the_size_of_other_writes(bare: AuthClient) -> None:
    assert await refusal(bare.add_role("x" * 1_572_850)) == REQUEST_TOO_LARGE


@pytest.mark.ours_only("etcd has no limit on names")
async def test_a_name_too_long_to_be_indexed_is_refused(bare: AuthClient) -> None:
    told = await refusal(bare.add_role("x" * 1_025))

    assert told.code == "INVALID_ARGUMENT"
    assert told.text.endswith("longer than this datastore can index: 1025 bytes, at most 1024")
    await bare.add_role("x" * 1_024)
    await bare.add_user("y" * 1_024, "p")
    await bare.give("y" * 1_024, "x" * 1_024)
