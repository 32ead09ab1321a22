"""The store goes away and comes back; and what keeps a server from starting at all."""

import asyncio
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from control_plane.apiserver.config import ConfigError, StartError
from control_plane.apiserver.etcd.endpoints import EtcdEndpoints
from control_plane.apiserver.server import run
from tests.control_plane.apiserver.conftest import raw_api
from tests.control_plane.apiserver.objects import config_map
from tests.support.apiserver import ApiServer, ThreadedApiServer, cluster_pki, server_config
from tests.support.datastore import Datastore
from tests.support.ports import free_port
from tests.support.raw_api import RawApi
from tests.support.server_process import ServerProcess

SECONDS = 30


def _until(api: RawApi, code: int) -> None:
    """Wait until /readyz answers `code`; a server that does not listen yet counts as not."""
    deadline = time.monotonic() + SECONDS
    while _readyz(api) != code:
        assert time.monotonic() < deadline, f"readyz did not become {code}"
        time.sleep(0.05)


def _readyz(api: RawApi) -> int:
    try:
        return api.get("/readyz").code
    except requests.exceptions.ConnectionError:
        return 0


class FixedStore:
    """A datastore that comes back on the same port with the same database."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._port = directory, free_port()
        self.endpoint = f"http://127.0.0.1:{self._port}"

    def start(self) -> ServerProcess:
        argv = [
            *(sys.executable, "-m", "datastore"),
            *("--endpoint", f"sqlite:///{self._directory}/store.db"),
            *("--listen-client-urls", self.endpoint),
        ]
        process = ServerProcess(argv, self._port, self._directory / "log")
        process.wait()
        return process


def test_readyz_follows_the_store(tmp_path: Path) -> None:
    path = "/api/v1/namespaces/default/configmaps"
    store = FixedStore(tmp_path)
    process = store.start()
    try:
        with ThreadedApiServer(store.endpoint, tmp_path / "c") as server, raw_api(server) as api:
            assert api.get("/readyz").text == "ok"
            made = api.post(path, config_map("kept")).json
            process.kill()
            _until(api, 500)
            assert "[-]etcd failed" in api.get("/readyz").text
            refused = api.post(path, config_map("lost"))
            assert (refused.code, refused.reason) == (503, "ServiceUnavailable")
            process = store.start()
            _until(api, 200)
            assert api.get(f"{path}/kept").json == made
            assert api.post(path, config_map("new")).code == 201
            names = [item["metadata"]["name"] for item in api.get(path).json["items"]]
            assert names == ["kept", "new"]
    finally:
        process.kill()


def test_a_server_waits_for_a_store_that_comes_later(tmp_path: Path) -> None:
    store = FixedStore(tmp_path)
    server = ThreadedApiServer(store.endpoint, tmp_path / "c").start(wait=False)
    process = None
    try:
        with raw_api(server) as api:
            _until(api, 500)
            assert api.get("/version").code == 200
            process = store.start()
            _until(api, 200)
    finally:
        server.stop()
        if process is not None:
            process.kill()


async def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        config = server_config("http://127.0.0.1:1", cluster_pki(tmp_path, "https://x"), port)
        with pytest.raises(StartError, match=f"cannot listen on 127.0.0.1:{port}"):
            await run(config)


async def test_a_certificate_that_is_none_is_one_line(tmp_path: Path) -> None:
    pki = cluster_pki(tmp_path, "https://x")
    broken = tmp_path / "broken.crt"
    broken.write_text("nothing")
    config = server_config("http://127.0.0.1:1", pki, 0)
    config = replace(config, tls=replace(config.tls, certificate=broken))
    with pytest.raises(ConfigError, match=r"broken\.crt"):
        await run(config)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"etcd": EtcdEndpoints(())}, "--etcd-servers is empty"),
        ({"etcd": EtcdEndpoints(("ftp://x",))}, "http://host:port"),
        ({"etcd_prefix": "registry"}, "--etcd-prefix"),
        ({"service_cluster_ip_range": "10.0.0.0/31"}, "too small"),
        ({"service_cluster_ip_range": "here"}, "give a range such as 10.96.0.0/16"),
        ({"secure_port": 70000}, "not a port"),
    ],
)
async def test_bad_configuration_is_one_line(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    config = server_config("http://127.0.0.1:1", cluster_pki(tmp_path, "https://x"), 0)
    with pytest.raises(ConfigError) as caught:
        await run(replace(config, **change))  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_stopped_server_leaves_its_port(tmp_path: Path) -> None:
    with Datastore() as store:
        port = free_port()
        for _ in range(2):
            async with ApiServer(store.endpoint, tmp_path, secure_port=port):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                await writer.wait_closed()
                assert reader is not None
