"""The real etcdctl as an operator uses it to set auth up and to live with it."""

import pytest

from tests.contract.auth.client import ROOT_PASSWORD, AuthClient
from tests.contract.etcdctl.program import Etcdctl, read_lines
from tests.contract.targets import Server

AS_ROOT = f"--user=root:{ROOT_PASSWORD}"
AS_ANN = "--user=ann:secret"


@pytest.fixture
async def etcdctl(unsecured: Server, bare: AuthClient) -> Etcdctl:
    """etcdctl for the server behind `bare`."""
    del bare
    return Etcdctl(unsecured.endpoint)


async def test_from_the_first_user_to_the_last(etcdctl: Etcdctl) -> None:
    run, lines = etcdctl.run, etcdctl.lines
    await run("put", "/ann/a", "1")
    assert "root user does not exist" in await run("auth", "enable", code=1)
    assert await lines("user", "add", f"root:{ROOT_PASSWORD}") == ["User root created"]
    assert await lines("role", "add", "root") == ["Role root created"]
    await run("user", "grant-role", "root", "root")
    assert await lines("user", "add", "ann", "--interactive=false", stdin="secret\n") == [
        "User ann created"
    ]
    await run("user", "add", "machine", "--no-password")
    await run("role", "add", "reader")
    granted = await lines("role", "grant-permission", "reader", "read", "/ann/", "--prefix=true")
    assert granted == ["Role reader updated"]
    await run("role", "grant-permission", "reader", "write", "/ann/a")
    await run("user", "grant-role", "ann", "reader")
    assert await lines("auth", "enable") == ["Authentication Enabled"]

    assert "user name is empty" in await run("get", "/ann/a", code=1)
    assert "invalid user ID or password" in await run("get", "x", "--user=ann:wrong", code=2)
    assert await lines("get", "--prefix", "/ann/", AS_ANN) == ["/ann/a", "1"]
    assert await lines("put", "/ann/a", "2", AS_ANN) == ["OK"]
    assert "permission denied" in await run("put", "/ann/b", "2", AS_ANN, code=1)
    assert "permission denied" in await run("get", "/bob", AS_ANN, code=1)
    assert "permission denied" in await run("compact", "2", AS_ANN, code=1)
    assert "permission denied" in await run("user", "list", AS_ANN, code=1)
    assert await lines("auth", "status", AS_ROOT) == [
        "Authentication Status: true",
        await _revision_line(etcdctl),
    ]
    assert await lines("user", "list", AS_ROOT) == ["ann", "machine", "root"]
    assert await lines("role", "list", AS_ROOT) == ["reader", "root"]
    assert await lines("user", "get", "ann", AS_ROOT) == ["User: ann", "Roles: reader"]
    assert await lines("role", "get", "reader", AS_ANN) == [
        *("Role reader", "KV Read:", "\t[/ann/, /ann0) (prefix /ann/)"),
        *("KV Write:", "\t/ann/a"),
    ]
    await run("user", "passwd", "ann", "--interactive=false", AS_ROOT, stdin="new\n")
    assert "invalid user ID or password" in await run("get", "/ann/a", AS_ANN, code=2)
    assert await lines("get", "/ann/a", "--user=ann", "--password=new") == ["/ann/a", "2"]
    await run("role", "revoke-permission", "reader", "/ann/", "--prefix=true", AS_ROOT)
    assert "permission denied" in await run("get", "/ann/a", "--user=ann:new", code=1)
    await run("user", "revoke-role", "ann", "reader", AS_ROOT)
    await run("role", "delete", "reader", AS_ROOT)
    await run("user", "delete", "ann", AS_ROOT)
    assert await lines("endpoint", "health", AS_ROOT)
    assert await lines("auth", "disable", AS_ROOT) == ["Authentication Disabled"]
    assert await lines("get", "/ann/a") == ["/ann/a", "2"]


async def _revision_line(etcdctl: Etcdctl) -> str:
    told = await etcdctl.json("auth", "status", AS_ROOT)
    return f"AuthRevision: {told['authRevision']}"


async def test_watches_and_leases_of_a_user(etcdctl: Etcdctl) -> None:
    for words in (
        *(["user", "add", f"root:{ROOT_PASSWORD}"], ["user", "grant-role", "root", "root"]),
        *(["user", "add", "ann:secret"], ["role", "add", "r"], ["user", "grant-role", "ann", "r"]),
        *(["role", "grant-permission", "r", "readwrite", "/ann"], ["auth", "enable"]),
    ):
        await etcdctl.run(*words)

    async with etcdctl.following("watch", "/ann", "--rev=1", AS_ANN) as output:
        await etcdctl.run("put", "/ann", "1", AS_ANN)
        assert await read_lines(output, 3) == ["PUT", "/ann", "1"]
    assert "permission denied" in await etcdctl.run("watch", "/bob", AS_ANN, code=5)
    lease = (await etcdctl.json("lease", "grant", "500", AS_ANN))["ID"]
    await etcdctl.run("put", "/bob", "1", f"--lease={lease:x}", AS_ROOT)
    refused = await etcdctl.run("put", "/ann", "2", f"--lease={lease:x}", AS_ANN, code=1)
    assert "permission denied" in refused
    assert "permission denied" in await etcdctl.run("lease", "revoke", f"{lease:x}", AS_ANN, code=1)
    assert "permission denied" in await etcdctl.run("lease", "list", AS_ANN, code=2)
    await etcdctl.run("lease", "revoke", f"{lease:x}", AS_ROOT)
    assert await etcdctl.lines(AS_ROOT, "lock", "/held", "echo", "held") == ["held"]
