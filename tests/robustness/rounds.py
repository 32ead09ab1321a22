"""A round: load from several processes, a murder at a random moment, load again, and judgement.

The store lives on through all rounds of a run, so each begins with what the last one left. After
the load every witness must have seen every event; then the answers are judged, the whole key space
is read and compared with the model, and the database is checked (`tapir check`).
"""

import asyncio
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import grpc
import grpc.aio

from datastore.tools.check import check
from proto.etcd import rpc_pb2 as pb
from proto.etcd import rpc_pb2_grpc
from tests.robustness.history import KV, Log, Record, load
from tests.robustness.judge import Judge, Verdict
from tests.robustness.load import OPTIONS, seen
from tests.robustness.model import State
from tests.robustness.victims import Victim, murder
from tests.robustness.witness import Witness
from tests.support.datastore import REPOSITORY

PROCESSES = 2
WITNESSES = 3
BEFORE_SECONDS = (0.15, 1.2)  # of load before the murder, at random
AFTER_SECONDS = 0.4
COMPACT_SECONDS = 0.25
SETTLE_SECONDS = 60.0
KEPT = 50  # revisions that a compaction leaves to the slowest witness


@dataclass(slots=True)
class Tally:
    """What a round came to."""

    verdict: Verdict
    seconds: float
    compacted: int
    reconnects: int
    violations: list[str] = field(default_factory=list)


class Client:
    """One client process of `load.py`."""

    def __init__(self, address: str, name: str, seed: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.robustness.load", address, name, str(seed)],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def go(self) -> None:
        self._say("go")

    def stop(self, path: Path) -> None:
        """End the load; its log is in the file when this returns."""
        self._say(f"stop {path}")
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "done\n", "a client process died"

    def end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()


class Run:
    """Rounds on one victim."""

    def __init__(self, victim: Victim, seed: int) -> None:
        self._victim = victim
        self._chance = random.Random(seed)
        self._address = victim.server.address
        self._clients = [Client(self._address, f"p{n}.", seed * 10 + n) for n in range(PROCESSES)]
        self._witnesses = [Witness(self._address, f"witness {n}") for n in range(WITNESSES)]
        self._state: State = {}
        self._base = 1
        self._open: list[Record] = []  # writes of earlier rounds that may still happen
        self._log = Log()
        self._compacted = 0

    async def __aenter__(self) -> Self:
        self._watching = [asyncio.create_task(witness.run()) for witness in self._witnesses]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        for client in self._clients:
            client.end()

    async def round(self) -> Tally:
        """Run one round."""
        began = time.monotonic()
        log = await self._load()
        async with _kv(self._address) as kv:
            last = (await _everything(kv)).header.revision
            await self._gather(last)
            verdict = self._judge(log, last)
            violations = [*verdict.violations, *await self._compare(kv)]
        violations += [text for witness in self._witnesses for text in witness.violations]
        url = self._victim.server.endpoint_url
        violations += await asyncio.to_thread(lambda: [str(finding) for finding in check(url)])
        reconnects = sum(witness.reconnects for witness in self._witnesses)
        return Tally(verdict, time.monotonic() - began, self._compacted, reconnects, violations)

    async def _load(self) -> Log:
        """Load, murder, load; return what the clients were told."""
        compacting = asyncio.create_task(self._compact())
        for client in self._clients:
            client.go()
        await asyncio.sleep(self._chance.uniform(*BEFORE_SECONDS))
        await murder(self._victim)
        await asyncio.sleep(AFTER_SECONDS)
        with tempfile.TemporaryDirectory() as directory:
            paths = [Path(directory) / str(n) for n in range(PROCESSES)]
            stops = zip(self._clients, paths, strict=True)
            await asyncio.gather(*(asyncio.to_thread(c.stop, path) for c, path in stops))
            compacting.cancel()
            await asyncio.gather(compacting, return_exceptions=True)
            log = load(paths)
        self._log.grants += log.grants
        return Log(log.records, self._log.grants)

    async def _compact(self) -> None:
        """Compact now and then, but never what a witness has not seen."""
        while True:
            await asyncio.sleep(self._chance.uniform(0, 2 * COMPACT_SECONDS))
            upto = min(witness.reached for witness in self._witnesses) - KEPT
            if upto <= self._compacted:
                continue
            request = pb.CompactionRequest(revision=upto, physical=self._chance.random() < 0.5)
            try:
                async with _kv(self._address) as kv:
                    await kv.Compact(request, timeout=10)
            except grpc.aio.AioRpcError:
                continue
            self._compacted = upto

    async def _gather(self, last: int) -> None:
        async with asyncio.timeout(SETTLE_SECONDS):
            await asyncio.gather(*(witness.reach(last) for witness in self._witnesses))

    def _judge(self, log: Log, last: int) -> Verdict:
        """Judge up to the last revision; what happens later (a lease ends) is the next round's."""
        events = self._witnesses[0].told(last)
        judge = Judge(self._base, self._state, log, events, self._open)
        verdict = judge.judge()
        for witness in self._witnesses[1:]:
            if witness.told(last) != events:
                verdict.violations.append(f"{witness.name} saw other events than the first")
        for witness in self._witnesses:
            witness.forget(last)
        self._base, self._state = judge.last, judge.states[judge.last]
        self._states = judge.states
        self._open = judge.open()
        return verdict

    async def _compare(self, kv: Any) -> list[str]:
        """Compare all keys, now and at some old revisions, with the model."""
        wrong = []
        oldest = max(self._compacted, min(self._states))
        past = [self._chance.randint(oldest, self._base) for _ in range(5)]
        for revision in (self._base, *past):
            try:
                found = await _everything(kv, revision)
            except grpc.aio.AioRpcError as error:
                if "compacted" not in (error.details() or ""):
                    wrong.append(f"read at {revision}: {error.details()}")
                continue
            kvs = [seen(one) for one in found.kvs]
            if kvs != _sorted(self._states[revision]):
                wrong.append(f"at {revision} the store has other keys than the model: {kvs}")
        return wrong


def _sorted(state: State) -> list[KV]:
    return [state[key] for key in sorted(state)]


@asynccontextmanager
async def _kv(address: str) -> AsyncIterator[Any]:
    async with grpc.aio.insecure_channel(address, options=OPTIONS) as channel:
        yield rpc_pb2_grpc.KVStub(channel)


async def _everything(kv: Any, revision: int = 0) -> pb.RangeResponse:
    """Read all keys, as soon as the server answers."""
    request = pb.RangeRequest(key=b"\0", range_end=b"\0", revision=revision)
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        try:
            found: pb.RangeResponse = await kv.Range(request, timeout=20)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE or time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)
        else:
            return found
