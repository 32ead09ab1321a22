"""An API server in the test's own event loop, with a fresh PKI, over any etcd endpoint.

    async with ApiServer(etcd.endpoint, tmp_path) as server:
        server.kubeconfig, server.url, server.pki ...

Start several over one endpoint for tests of high availability. Blocking clients (the official one,
kubectl) are called in threads: `await asyncio.to_thread(...)`.
"""

import asyncio
import contextlib
import datetime
import ipaddress
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Self

from control_plane.apiserver.auth.config import AuthConfig
from control_plane.apiserver.auth.request_header import RequestHeaders
from control_plane.apiserver.config import ApiServerConfig, ServiceAccountKeys, TlsFiles
from control_plane.apiserver.etcd.endpoints import EtcdEndpoints
from control_plane.apiserver.server import run
from control_plane.pki.cluster import FRONT_PROXY, ClusterNames, ClusterPki, ensure_pki
from tests.support.ports import free_port

READY_SECONDS = 90
LOOPBACK = ipaddress.ip_address("127.0.0.1")
NODE = "node-1"


class ApiServer:
    """A running API server; `pki` has kubeconfig files for every component of the cluster.

    `config` are fields of ApiServerConfig to override. A `directory` used twice keeps its PKI.
    """

    def __init__(self, endpoint: str, directory: Path, **config: Any) -> None:
        self.port = config.pop("secure_port", None) or free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.pki = cluster_pki(directory, self.url)
        self.config = server_config(endpoint, self.pki, self.port, **config)
        self.ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.pki.kubeconfig()

    async def start(self, *, wait: bool = True) -> Self:
        """Start it, and wait until it is ready."""
        self._task = asyncio.create_task(run(self.config, self.ready))
        if wait:
            await self.wait_ready()
        return self

    async def wait_ready(self) -> None:
        """Wait until the first objects are there; a server that fails first raises its error."""
        assert self._task is not None
        waiter = asyncio.create_task(self.ready.wait())
        async with asyncio.timeout(READY_SECONDS):
            await asyncio.wait((waiter, self._task), return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            waiter.cancel()
            self._task.result()

    async def stop(self) -> None:
        """Stop it and wait for its end."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


def cluster_pki(directory: Path, url: str) -> ClusterPki:
    """The certificates of a cluster under `directory`, made at the first call."""
    names = ClusterNames(url, (LOOPBACK,), NODE, (LOOPBACK,))
    return ensure_pki(directory, names, datetime.datetime.now(datetime.UTC))


def server_config(endpoint: str, pki: ClusterPki, port: int, **config: Any) -> ApiServerConfig:
    """What `tapir up` would tell the API server."""
    kubelet = pki.pair("apiserver-kubelet-client")
    proxy = pki.front_proxy("client")
    own, ca = pki.pair("apiserver"), pki.pair("ca").certificate
    issuer = "https://kubernetes.default.svc.cluster.local"
    defaults: dict[str, Any] = {
        "etcd": EtcdEndpoints((endpoint,)),
        "tls": TlsFiles(
            ca,
            own.certificate,
            own.key,
            ca,
            kubelet.certificate,
            kubelet.key,
            proxy.certificate,
            proxy.key,
        ),
        "service_accounts": ServiceAccountKeys(
            issuer,
            pki.service_account_key,
            (pki.service_account_public_key,),
            (issuer,),
        ),
        "auth": AuthConfig(
            request_headers=RequestHeaders(pki.front_proxy("ca").certificate, (FRONT_PROXY.user,)),
        ),
        "bind_address": "127.0.0.1",
        "secure_port": port,
    }
    return ApiServerConfig(**{**defaults, **config})


class ThreadedApiServer:
    """An ApiServer in a thread with an event loop of its own, for tests with blocking clients."""

    def __init__(self, endpoint: str, directory: Path, **config: Any) -> None:
        self.server = ApiServer(endpoint, directory, **config)
        self.url, self.pki = self.server.url, self.server.pki
        self.kubeconfig = self.server.kubeconfig
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self, *, wait: bool = True) -> Self:
        """Start it and, unless told otherwise, wait until it is ready."""
        self._thread.start()
        self._await(self.server.start(wait=wait))
        return self

    def stop(self) -> None:
        """Stop it and its thread."""
        self._await(self.server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def call(self, function: Callable[[], Any]) -> Any:
        """What a function returns in the server's thread, where nothing else goes on then."""

        async def called() -> Any:
            return function()

        return self._await(called())

    def _await(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(READY_SECONDS * 2)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
