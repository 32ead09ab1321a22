"""An API server, a kubelet of the tests' own beside it, and an administrator's HTTP session."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.control_plane.apiserver.kubelet_peer import KubeletPeer
from tests.control_plane.apiserver.objects import pod
from tests.support.apiserver import NODE, ApiServer
from tests.support.etcd import Etcd

PODS = "/api/v1/namespaces/default/pods"


class Cluster:
    """An API server, a kubelet, and an administrator's HTTP session."""

    def __init__(
        self, server: ApiServer, kubelet: KubeletPeer, session: aiohttp.ClientSession
    ) -> None:
        self.server, self.kubelet, self.session = server, kubelet, session

    async def send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        url = self.server.url + path
        async with self.session.request(method, url, json=body) as response:
            return response.status, await response.json(content_type=None)


@asynccontextmanager
async def streams_stage(tmp_path: Path) -> AsyncIterator[Cluster]:
    """Started, with a pod `p` on the kubelet's node."""
    with Etcd() as etcd:
        async with ApiServer(etcd.endpoint, tmp_path) as server, KubeletPeer(server.pki) as kubelet:
            tls = ssl.create_default_context(cafile=str(server.pki.pair("ca").certificate))
            admin = server.pki.pair("admin")
            tls.load_cert_chain(admin.certificate, admin.key)
            connector = aiohttp.TCPConnector(ssl=tls)
            async with aiohttp.ClientSession(connector=connector) as session:
                cluster = Cluster(server, kubelet, session)
                node = {"metadata": {"name": NODE}, "status": kubelet.node_status}
                assert (await cluster.send("POST", "/api/v1/nodes", node))[0] == 201
                accounts = "/api/v1/namespaces/default/serviceaccounts"
                await cluster.send("POST", accounts, {"metadata": {"name": "default"}})
                assert (await cluster.send("POST", PODS, pod("p", node=NODE)))[0] == 201
                yield cluster
