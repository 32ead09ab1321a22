"""etcdctl snapshot save: it checks framing, length and checksum itself."""

import hashlib
from pathlib import Path

import pytest

from datastore.tools.snapshot_file import status
from tests.contract.client import Client
from tests.contract.etcdctl.program import Etcdctl


async def test_save(etcdctl: Etcdctl, etcd: Client, tmp_path: Path) -> None:
    await etcd.put("a", b"x" * 100_000)
    file = tmp_path / "snapshot.db"

    said = await etcdctl.run("snapshot", "save", str(file))

    data = file.read_bytes()
    assert f"Snapshot saved at {file}" in said
    assert data[-32:] == hashlib.sha256(data[:-32]).digest()
    assert len(data) % 512 == 32


@pytest.mark.ours_only("etcd's own content is for etcdutl")
async def test_what_it_saves_is_whole(etcdctl: Etcdctl, etcd: Client, tmp_path: Path) -> None:
    revision = (await etcd.put("a", b"1")).header.revision
    file = tmp_path / "snapshot.db"

    await etcdctl.run("snapshot", "save", str(file))

    assert status(file).revision == revision
