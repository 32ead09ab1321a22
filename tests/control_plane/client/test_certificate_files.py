"""Certificates in files that are replaced while they are in use."""

import asyncio
import datetime
import ssl
from pathlib import Path
from typing import Any

import pytest

from control_plane.api.resources import SELFSUBJECTREVIEWS
from control_plane.client import certificate_files, transport
from control_plane.client.certificate_files import CertificateFiles
from control_plane.client.client import ApiClient
from control_plane.client.config import ClientConfig
from control_plane.pki.cluster import rotate_pki
from tests.support.apiserver import ApiServer
from tests.support.datastore import Datastore


def test_what_is_replaced_is_read_again(tmp_path: Path) -> None:
    files, loads = [tmp_path / "a.crt", tmp_path / "a.key"], []
    for path in files:
        path.write_text("one")
    follower = CertificateFiles(files, lambda: loads.append(files[0].read_text()))
    assert not follower.look()
    (tmp_path / "new").write_text("two")
    (tmp_path / "new").replace(files[0])
    assert follower.look()
    assert not follower.look()
    assert loads == ["two"]


def test_a_file_that_does_not_fit_yet_is_tried_again(tmp_path: Path) -> None:
    path, attempts = tmp_path / "a.crt", [0]

    def load() -> None:
        attempts[0] += 1
        if attempts[0] == 1:
            raise ValueError("the key does not belong to it")

    follower = CertificateFiles([path], load)
    path.write_text("one")
    assert not follower.look()
    assert follower.look()
    assert attempts == [2]


def served_certificate(port: int) -> str:
    return ssl.get_server_certificate(("127.0.0.1", port), timeout=30)


async def test_a_rotation_reaches_servers_and_clients_that_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (certificate_files, transport):
        monkeypatch.setattr(module, "LOOK_SECONDS", 0.05)
    now = datetime.datetime.now(datetime.UTC)
    with Datastore() as store:
        async with ApiServer(store.endpoint, tmp_path) as server:
            config = ClientConfig.from_kubeconfig(server.pki.kubeconfig("scheduler"))
            async with ApiClient(config) as client:
                first = await client.create(SELFSUBJECTREVIEWS, {})
                before = await asyncio.to_thread(served_certificate, server.port)
                rotate_pki(tmp_path, now)
                async with asyncio.timeout(60):
                    after = before
                    while after == before:
                        after = await asyncio.to_thread(served_certificate, server.port)
                    answer = first
                    while credential(answer) == credential(first):
                        answer = await client.create(SELFSUBJECTREVIEWS, {})
                        await asyncio.sleep(0.05)
                assert answer["status"]["userInfo"]["username"] == "system:kube-scheduler"


def credential(review: dict[str, Any]) -> str:
    extra = review["status"]["userInfo"]["extra"]
    return str(extra["authentication.kubernetes.io/credential-id"])
