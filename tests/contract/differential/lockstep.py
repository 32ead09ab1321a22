"""Two servers in lockstep: an operation is done on both and compared before the next is done.

Watch streams are compared at checkpoints, when both servers say that they have sent everything.
Every compaction is a checkpoint too: whether a watcher that is still catching up loses its past
to a compaction is a race.
"""

import asyncio
import re
from typing import Any

from proto.etcd import kv_pb2
from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Refusal
from tests.contract.differential.generator import Generator, State
from tests.contract.differential.operations import (
    FIRST_WATCH_ID,
    STREAMS,
    Call,
    CancelWatch,
    CreateWatch,
    HashKeySpace,
    KeepAlive,
    Operation,
    ReopenStream,
)
from tests.contract.differential.side import Side

CHECKPOINT_EVERY = 50
STRAGGLER_LOOKS = 50
STRAGGLER_SECONDS = 2.0  # what a stream may still have in flight after it said it was done
FUTURE_REACH = 3  # how far ahead of now a watcher may start
EVERYTHING = pb.RangeRequest(key=b"\0", range_end=b"\0")
FILLER = Call("kv.Put", pb.PutRequest(key=b"filler"))


class Difference(AssertionError):
    """The two servers disagree."""


class Lockstep:
    """Drives a reference and a subject; raises Difference at the first answer that differs."""

    def __init__(self, reference: Side, subject: Side, state: State) -> None:
        self.state = state
        self._sides = (reference, subject)
        self._done = 0
        self._latest_start = 0
        self._catching_up = False

    async def run(self, generator: Generator, operations: int) -> None:
        """Do so many operations and compare everything at the end."""
        for _ in range(operations):
            await self.step(generator.next())
        await self.checkpoint()

    async def step(self, operation: Operation) -> None:
        """Do one operation on both."""
        self._done += 1
        if isinstance(operation, Call) and operation.method == "kv.Compact":
            await self.checkpoint()
        await self._do(operation)
        if self._done % CHECKPOINT_EVERY == 0:
            await self.checkpoint()

    async def reset(self) -> None:
        """Empty the store and replace the streams."""
        answer = await self._call(Call("lease.LeaseLeases", pb.LeaseLeasesRequest()))
        for lease in answer.leases:
            await self._call(Call("lease.LeaseRevoke", pb.LeaseRevokeRequest(ID=lease.ID)))
        await self._call(Call("kv.DeleteRange", pb.DeleteRangeRequest(key=b"\0", range_end=b"\0")))
        for index in range(STREAMS):
            await self._reopen(ReopenStream(index))

    async def checkpoint(self) -> None:
        """Compare the key space and the story of every watcher."""
        while self.state.revision < self._latest_start:
            await self._call(FILLER)
        await self._call(Call("kv.Range", EVERYTHING))
        await self._hash(0)
        await asyncio.gather(*(side.catch_up(self.state.revision) for side in self._sides))
        self._catching_up = False
        for _ in range(STRAGGLER_LOOKS):
            if not self._unequal_story():
                return
            await asyncio.sleep(STRAGGLER_SECONDS / STRAGGLER_LOOKS)
        unequal = self._unequal_story()
        if unequal:
            raise Difference(self._report(*unequal))

    def _unequal_story(self) -> tuple[str, str, str] | None:
        """Where the two sides tell a watcher's story differently: the watcher, and both
        versions.
        """
        reference, subject = self._sides
        pairs = zip(reference.streams, subject.streams, strict=True)
        for index, (one, other) in enumerate(pairs):
            for watch_id in {**one.stories, **other.stories}:
                expected, got = one.stories[watch_id], other.stories[watch_id]
                if expected != got:
                    where = f"watcher {watch_id} of stream {index}"
                    return where, _first_difference(expected, got), _first_difference(got, expected)
        return None

    async def _do(self, operation: Operation) -> None:
        match operation:
            case Call():
                await self._call(operation)
            case KeepAlive():
                answers = await self._both(lambda side: side.keep_alive(operation.lease_id))
                self._compare(operation, *answers)
            case HashKeySpace():
                await self._hash(operation.revision)
            case CreateWatch():
                await self._create(operation)
            case CancelWatch():
                await self._cancel(operation)
            case ReopenStream():
                await self.checkpoint()
                await self._reopen(operation)

    async def _call(self, call: Call) -> Any:
        expected, got = await self._both(lambda side: side.call(call))
        self._compare(call, expected, got)
        if isinstance(expected, Refusal):
            return expected
        self.state.revision = max(self.state.revision, expected.header.revision)
        if isinstance(call.request, pb.CompactionRequest):
            self.state.compacted = call.request.revision
            self.state.compactions.add(call.request.revision)
        if isinstance(call.request, pb.TxnRequest) and _deletes_without_end(call.request):
            self.state.remade.add(expected.header.revision)
        return expected

    async def _hash(self, revision: int) -> None:
        """Compare the hash of the key space.

        Not asked: a revision that was compacted to, whose hash etcd remembers from then; and one at
        which no key was live but for those that it made itself, when etcd's answer may tell how far
        its compaction has come.
        """
        if revision in self.state.compactions:
            return
        live = pb.RangeRequest(key=b"\0", range_end=b"\0", keys_only=True, revision=revision)
        found = await self._call(Call("kv.Range", live))
        refused = revision < 0 or isinstance(found, Refusal)
        at = revision or self.state.revision
        if refused or not self.state.compacted or any(kv.create_revision < at for kv in found.kvs):
            request = pb.HashKVRequest(revision=revision)
            await self._call(Call("maintenance.HashKV", request))

    async def _create(self, operation: CreateWatch) -> None:
        expected, got = await self._both(
            lambda side: side.streams[operation.stream].create(operation.request)
        )
        shown = [(r.watch_id, r.canceled, r.cancel_reason) for r in (expected, got)]
        self._compare(operation, *shown)
        if not expected.canceled:
            self.state.watch_ids[operation.stream].append(expected.watch_id)
            start = min(operation.request.start_revision, self.state.revision + FUTURE_REACH)
            self._latest_start = max(self._latest_start, start)
            if 0 < operation.request.start_revision < self.state.compacted:
                await self._take_away(operation.stream, expected.watch_id)
            elif operation.request.start_revision:
                self._catching_up = True

    async def _take_away(self, stream: int, watch_id: int) -> None:
        """Cancel a watcher that compaction has cancelled: until then it withholds progress."""
        await self._both(lambda side: side.streams[stream].compacted(watch_id))
        await self._cancel_now(CancelWatch(stream, watch_id))

    async def _cancel(self, operation: CancelWatch) -> None:
        if operation.watch_id == FIRST_WATCH_ID:
            return
        if self._catching_up and operation.watch_id in self.state.watch_ids[operation.stream]:
            await self.checkpoint()
        await self._cancel_now(operation)

    async def _cancel_now(self, operation: CancelWatch) -> None:
        known = self.state.watch_ids[operation.stream]
        answered = operation.watch_id in known
        await self._both(
            lambda side: side.streams[operation.stream].cancel(operation.watch_id, answered)
        )
        if answered:
            known.remove(operation.watch_id)

    async def _reopen(self, operation: ReopenStream) -> None:
        await self._both(lambda side: side.reopen(operation.stream))
        self.state.watch_ids[operation.stream] = []

    async def _both(self, act: Any) -> Any:
        return await asyncio.gather(*(act(side) for side in self._sides))

    def _compare(self, operation: Operation, expected: Any, got: Any) -> None:
        if expected != got:
            raise Difference(self._report(str(operation), expected, got))

    def _report(self, what: str, expected: Any, got: Any) -> str:
        reference, subject = self._sides
        return (
            f"operation {self._done}, revision {self.state.revision}, compacted"
            f" {self.state.compacted}: {_brief(what)}\n"
            f"{reference.name}:\n{_brief(expected)}\n{subject.name}:\n{_brief(got)}"
        )


def _deletes_without_end(request: pb.TxnRequest) -> bool:
    """Say whether a Txn may delete from a key on: only such a one may put what it deletes."""
    operations = (*request.success, *request.failure)
    return any(
        operation.request_delete_range.range_end == b"\0"
        or _deletes_without_end(operation.request_txn)
        for operation in operations
    )


def _brief(shown: Any) -> str:
    """Text with long runs of one character cut short."""
    return re.sub(r"(.)\1{20,}", r"\1\1...", str(shown))


def _first_difference(story: list[Any], other: list[Any]) -> str:
    """The first item of a story that the other does not have there, in words, and what came
    before.
    """
    index = next(
        (i for i, pair in enumerate(zip(story, other, strict=False)) if pair[0] != pair[1]),
        min(len(story), len(other)),
    )
    return f"{len(story)} items, from {index}: " + "; ".join(map(_shown, story[index : index + 3]))


def _shown(item: tuple[Any, ...]) -> str:
    return str(kv_pb2.Event.FromString(item[1])) if item[0] == "event" else str(item)
