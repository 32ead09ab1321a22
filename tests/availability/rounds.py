"""Rounds on one cluster: load, a server killed and started again, and what the judge says."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

from control_plane.apiserver.allocation.port_set import decode
from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.endpoints import EtcdEndpoints
from control_plane.client.config import ClientConfig
from tests.availability.balancer import Balancer
from tests.availability.client import BROKEN, Client
from tests.availability.history import History, Outcome
from tests.availability.judge import violations
from tests.availability.load import Load
from tests.availability.servers import Process
from tests.support.apiserver import cluster_pki

READY_SECONDS = 90.0
SETTLE_SECONDS = 60.0
RETRY_SECONDS = 0.05
SENTINELS = 100
WRITERS, READERS, WATCHERS = 4, 1, 3
NODE_PORTS = (30000, 32767)

Work = Callable[[Client], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Tally:
    """What one round came to."""

    acknowledged: int
    refused: int
    unknown: int
    events: int
    lists: int
    resumed: int
    latencies: list[float]
    silence: float
    violations: list[str]


class Run:
    """`count` API servers over the store at `endpoint`, behind a balancer."""

    def __init__(self, endpoint: str, directory: Path, count: int, seed: int) -> None:
        self._endpoint, self._directory, self._count = endpoint, directory, count
        self._random = random.Random(seed)
        self._stack = AsyncExitStack()
        self._round = 0
        self.servers: list[Process] = []

    async def __aenter__(self) -> Self:
        pki = await asyncio.to_thread(cluster_pki, self._directory, "https://127.0.0.1:1")
        config = ClientConfig.from_kubeconfig(pki.kubeconfig())
        self._tls = config.ssl_context()
        for number in range(self._count):
            log = self._directory / f"apiserver-{number}.log"
            self.servers.append(Process(self._endpoint, pki, log))
        self._balancer = Balancer([server.port for server in self.servers])
        await self._stack.enter_async_context(self._balancer)
        try:
            for server in self.servers:
                server.start()
            for server in self.servers:
                await self._ready(server)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self.servers:
            await asyncio.to_thread(server.stop)
        await self._stack.aclose()

    async def round(self) -> Tally:
        """One round with one kill; every server of the cluster runs again at its end."""
        self._round += 1
        namespace, history = f"round-{self._round}", History()
        load = Load(namespace, history, self._random.randrange(2**32))
        async with self._client() as client:
            await self._until(client, "POST", "/api/v1/namespaces", 201, name=namespace)
            await self._under_load(load)
            history.final = await load.list(client)
            found = violations(history) + await self._numbers(client)
        return _tally(history, load.latencies, found)

    async def _under_load(self, load: Load) -> None:
        async with AsyncExitStack() as clients:

            async def started(work: Work) -> asyncio.Task[None]:
                client = await clients.enter_async_context(self._client())
                return asyncio.create_task(work(client))

            # every watch begins before the first write, so that each write is seen by all
            watchers = [await started(load.watch) for _ in range(WATCHERS)]
            workers: list[asyncio.Task[None]] = []
            try:
                await _first_of(load.watched_by(WATCHERS), watchers)
                work = (*[load.write] * WRITERS, *[load.read] * READERS, load.allocate)
                workers += [await started(each) for each in work]
                await self._kill_one()
                load.ending.set()
                async with asyncio.timeout(SETTLE_SECONDS):
                    await asyncio.gather(*workers)
                    await _first_of(load.seen_by_all(await self._sentinel(load)), watchers)
            finally:
                for task in (*workers, *watchers):
                    task.cancel()
                await asyncio.gather(*workers, *watchers, return_exceptions=True)

    async def _kill_one(self) -> None:
        victim = self.servers[self._round % self._count]
        await asyncio.sleep(self._random.uniform(0.5, 1.5))
        await asyncio.to_thread(victim.kill)
        await asyncio.sleep(self._random.uniform(0.2, 1.0))
        victim.start()
        await self._ready(victim)
        await asyncio.sleep(self._random.uniform(0.2, 0.6))

    async def _sentinel(self, load: Load) -> int:
        """Write what watchers have to see at last; return its revision."""
        async with self._client() as client:
            for number in range(SENTINELS):
                write = await load.create(client, f"sentinel-{number}")
                if write.outcome is Outcome.DONE:
                    return write.revision
                await asyncio.sleep(RETRY_SECONDS)
        raise AssertionError("nobody takes the sentinel")

    async def _numbers(self, client: Client) -> list[str]:
        """Whether services, addresses and ports are one to one."""
        _, services = await client.call("GET", "/api/v1/services")
        _, addresses = await client.call("GET", "/apis/networking.k8s.io/v1/ipaddresses")
        held = [ip for one in services["items"] for ip in one["spec"].get("clusterIPs", [])]
        named = {item["metadata"]["name"] for item in addresses["items"]}
        found = [f"services have {sorted(held)}, objects are {sorted(named)}"]
        found = found if sorted(held) != sorted(named) else []
        ports = [
            port["nodePort"]
            for one in services["items"]
            for port in one["spec"]["ports"]
            if "nodePort" in port
        ]
        taken = await self._taken_ports()
        if sorted(ports) != sorted(taken):
            found.append(f"services have ports {sorted(ports)}, taken are {sorted(taken)}")
        _, events = await client.call("GET", "/api/v1/events")
        repaired = {item["reason"] for item in events["items"] if "Allocat" in item["reason"]}
        return [*found, *(f"a repair was needed: {reason}" for reason in repaired)]

    async def _taken_ports(self) -> set[int]:
        etcd = EtcdClient(EtcdEndpoints((self._endpoint,)))
        try:
            kv, _ = await etcd.get(b"/registry/ranges/servicenodeports")
        finally:
            await etcd.close()
        ports = decode(kv.value, *NODE_PORTS) if kv is not None else None
        return ports.taken() if ports is not None else set()

    async def _ready(self, server: Process) -> None:
        url = f"https://127.0.0.1:{server.port}"
        async with Client(url, self._tls) as client, asyncio.timeout(READY_SECONDS):
            while True:
                assert server.running, "an API server has ended by itself"
                try:
                    code, _ = await client.call("GET", "/api/v1/namespaces/default")
                    if code == 200:
                        return
                except BROKEN:
                    pass
                await asyncio.sleep(RETRY_SECONDS)

    async def _until(
        self, client: Client, method: str, path: str, code: int, **metadata: Any
    ) -> None:
        async with asyncio.timeout(READY_SECONDS):
            while True:
                try:
                    if (await client.call(method, path, {"metadata": metadata}))[0] in (code, 409):
                        return
                except BROKEN:
                    pass
                await asyncio.sleep(RETRY_SECONDS)

    def _client(self) -> Client:
        return Client(f"https://127.0.0.1:{self._balancer.port}", self._tls)


async def _first_of(wanted: Coroutine[Any, Any, None], others: list[asyncio.Task[None]]) -> None:
    """Wait for `wanted`; if one of `others` ends first, raise what ended it."""
    task = asyncio.create_task(wanted)
    try:
        await asyncio.wait((task, *others), return_when=asyncio.FIRST_COMPLETED)
        for other in others:
            if other.done():
                other.result()
        await task
    finally:
        task.cancel()


def _tally(history: History, latencies: list[float], found: list[str]) -> Tally:
    outcomes = [write.outcome for write in history.writes]
    ends = sorted(write.ended for write in history.writes if write.outcome is Outcome.DONE)
    gaps = [later - earlier for earlier, later in pairwise(ends)]
    return Tally(
        acknowledged=outcomes.count(Outcome.DONE),
        refused=outcomes.count(Outcome.REFUSED),
        unknown=outcomes.count(Outcome.UNKNOWN),
        events=sum(len(watch.events) for watch in history.watches),
        lists=len(history.lists),
        resumed=sum(watch.resumed for watch in history.watches),
        latencies=latencies,
        silence=max(gaps, default=0.0),
        violations=found,
    )
