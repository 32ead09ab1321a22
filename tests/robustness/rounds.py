"""A round: load from several processes, a murder at a random moment, load again, and judgement.

The store lives on through all rounds of a run, so each begins with what the last one left; a server
that was killed may stay dead until the next round. After the load every witness at a living server
must have seen every event; then the answers are judged, the whole key space is read at each server
and compared with the model, and the database is checked (`tapir check`).
"""

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import grpc
import grpc.aio

from datastore.tools.check import check
from proto.etcd import rpc_pb2 as pb
from proto.etcd import rpc_pb2_grpc
from tests.robustness.caller import OPTIONS, metadata_of, seen
from tests.robustness.clients import Client
from tests.robustness.gates import judge_gates
from tests.robustness.history import KV, Event, Log, Record, load
from tests.robustness.judge import Judge, Verdict
from tests.robustness.model import State
from tests.robustness.tally import Tally, latencies_of, silence_of
from tests.robustness.turner import enable_auth
from tests.robustness.victims import Victim, murder
from tests.robustness.witness import Witness, witnesses

PROCESSES = 2
BEFORE_SECONDS = (0.15, 1.2)  # of load before the murder, at random
AFTER_SECONDS = 0.4
AFTER_REVISIONS = 60  # that are to be seen before the load ends, so that a slow machine has its say
LOAD_SECONDS = 20.0  # the longest wait for the first revision of a round, and for the last ones
COMPACT_SECONDS = 0.25
SETTLE_SECONDS = 60.0
CANCEL_SECONDS = 1.0  # before what does not end is cancelled again
KEPT = 50  # revisions that a compaction leaves to the slowest witness


class Run:
    """Rounds on one victim."""

    def __init__(self, victim: Victim, seed: int, *, with_auth: bool = False) -> None:
        """`with_auth`: with authentication, and permissions that come and go."""
        self._victim = victim
        self._with_auth = with_auth
        self._token = ""
        self._chance = random.Random(seed)
        addresses = [server.address for server in victim.servers]
        self._clients = [
            Client(addresses, f"p{n}.", seed * 10 + n, turns=n == 0) for n in range(PROCESSES)
        ]
        self._witnesses = witnesses(addresses, self._chance)
        self._state: State = {}
        self._base = 1
        self._history: dict[int, list[Event]] = {}  # what some witness has yet to be compared with
        self._open: list[Record] = []  # writes of earlier rounds that may still happen
        self._log = Log()
        self._compacted = 0

    async def __aenter__(self) -> Self:
        if self._with_auth:
            self._token = await enable_auth(self._victim.servers[0].address)
        for witness in self._witnesses:
            witness.token = self._token
        self._watching = [asyncio.create_task(witness.run()) for witness in self._witnesses]
        return self

    async def __aexit__(self, *error: object) -> None:
        left = set(self._watching)
        while left:  # a call that fails at that very moment may swallow a cancellation
            for task in left:
                task.cancel()
            _done, left = await asyncio.wait(left, timeout=CANCEL_SECONDS)
        for client in self._clients:
            client.end()

    async def round(self) -> Tally:
        """Run one round."""
        began = time.monotonic()
        log = await self._load()
        violations = self._victim.ended()
        assert self._living(), violations
        last, behind = await self._last()
        gathered = await self._gather(last)
        verdict = self._judge(log, last, gathered)
        violations += [*behind, *verdict.violations, *await self._compare()]
        violations += [text for witness in self._witnesses for text in witness.violations]
        url = self._victim.servers[0].endpoint_url
        violations += await asyncio.to_thread(lambda: [str(finding) for finding in check(url)])
        return Tally(
            verdict,
            time.monotonic() - began,
            self._compacted,
            sum(witness.reconnects for witness in self._witnesses),
            latencies_of(log.records),
            silence_of(log.records),
            violations,
        )

    def _living(self) -> list[str]:
        """Return the addresses of the servers that run."""
        return [server.address for server in self._victim.servers if server.running]

    async def _load(self) -> Log:
        """Load, murder, load; return what the clients were told."""
        compacting = asyncio.create_task(self._compact())
        for client in self._clients:
            client.go(self._token)
        await self._more(1)
        await asyncio.sleep(self._chance.uniform(*BEFORE_SECONDS))
        await murder(self._victim, self._chance)
        await asyncio.sleep(AFTER_SECONDS)
        await self._more(AFTER_REVISIONS)
        with tempfile.TemporaryDirectory() as directory:
            paths = [Path(directory) / str(n) for n in range(PROCESSES)]
            stops = zip(self._clients, paths, strict=True)
            await asyncio.gather(*(asyncio.to_thread(c.stop, path) for c, path in stops))
            compacting.cancel()
            await asyncio.gather(compacting, return_exceptions=True)
            log = load(paths)
        self._log.grants += log.grants
        log.grants = self._log.grants
        return log

    async def _more(self, revisions: int) -> None:
        """Wait until some witness has seen so many more revisions, but not for ever."""
        upto = max(witness.reached for witness in self._witnesses) + revisions
        waiting = [asyncio.create_task(witness.reach(upto)) for witness in self._witnesses]
        await asyncio.wait(waiting, timeout=LOAD_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    async def _compact(self) -> None:
        """Compact now and then, at any server, but never what a witness has not seen."""
        while True:
            await asyncio.sleep(self._chance.uniform(0, 2 * COMPACT_SECONDS))
            upto = min(witness.reached for witness in self._witnesses) - KEPT
            if upto <= self._compacted:
                continue
            request = pb.CompactionRequest(revision=upto, physical=self._chance.random() < 0.5)
            try:
                async with _kv(self._chance.choice(self._victim.servers).address) as kv:
                    await kv.Compact(request, timeout=10, metadata=metadata_of(self._token))
            except grpc.aio.AioRpcError:
                continue
            self._compacted = upto

    async def _last(self) -> tuple[int, list[str]]:
        """Ask each server in turn for its revision: each knows of what another has told."""
        last, wrong = 0, []
        for address in self._living():
            async with _kv(address) as kv:
                told = (await self._everything(kv)).header.revision
            if told < last:
                wrong.append(f"{address} is at revision {told}, and another one was at {last}")
            last = max(last, told)
        return last, wrong

    async def _gather(self, last: int) -> list[Witness]:
        """Wait until the witnesses have seen everything; who waits for a dead server need not."""
        living = set(self._living())
        gathered = [each for each in self._witnesses if living.intersection(each.addresses)]
        async with asyncio.timeout(SETTLE_SECONDS):
            await asyncio.gather(*(witness.reach(last) for witness in gathered))
        return gathered

    def _judge(self, log: Log, last: int, gathered: list[Witness]) -> Verdict:
        """Judge up to the last revision; what happens later (a lease ends) is the next round's."""
        events = gathered[0].told(self._base, last)
        judge = Judge(self._base, self._state, log, events, self._open)
        verdict = judge.judge()
        gated = judge_gates(log)
        verdict.violations += gated.violations
        verdict.gated = gated.judged
        self._history |= events
        for witness in gathered:
            seen_elsewhere = {at: it for at, it in self._history.items() if witness.judged < at}
            if witness.told(witness.judged, last) != seen_elsewhere:
                verdict.violations.append(f"{witness.name} saw other events than the first")
            witness.forget(last)
        judged = min(witness.judged for witness in self._witnesses)
        self._history = {at: it for at, it in self._history.items() if at > judged}
        self._base, self._state = judge.last, judge.states[judge.last]
        self._states = judge.states
        self._open = judge.open()
        return verdict

    async def _compare(self) -> list[str]:
        """Compare all keys at each server, now and at some old revisions, with the model."""
        wrong = []
        oldest = max(self._compacted, min(self._states))
        past = [self._chance.randint(oldest, self._base) for _ in range(5)]
        for address in self._living():
            async with _kv(address) as kv:
                for revision in (self._base, *past):
                    wrong += await self._compare_at(kv, revision)
        return wrong

    async def _compare_at(self, kv: Any, revision: int) -> list[str]:
        try:
            found = await self._everything(kv, revision)
        except grpc.aio.AioRpcError as error:
            compacted = "compacted" in (error.details() or "")
            return [] if compacted else [f"read at {revision}: {error.details()}"]
        kvs = [seen(one) for one in found.kvs]
        if kvs == _sorted(self._states[revision]):
            return []
        return [f"at {revision} the store has other keys than the model: {kvs}"]

    async def _everything(self, kv: Any, revision: int = 0) -> pb.RangeResponse:
        """Read all keys, as soon as the server answers."""
        request = pb.RangeRequest(key=b"\0", range_end=b"\0", revision=revision)
        metadata = metadata_of(self._token)
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            try:
                found: pb.RangeResponse = await kv.Range(request, timeout=20, metadata=metadata)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE or time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.05)
            else:
                return found


def _sorted(state: State) -> list[KV]:
    return [state[key] for key in sorted(state)]


@asynccontextmanager
async def _kv(address: str) -> AsyncIterator[Any]:
    async with grpc.aio.insecure_channel(address, options=OPTIONS) as channel:
        yield rpc_pb2_grpc.KVStub(channel)
