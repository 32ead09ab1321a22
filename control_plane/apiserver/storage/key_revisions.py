"""How new keys are: what lets an object of the cache be the answer to a read of the newest state.

A GET without a resourceVersion has to see every write that was acknowledged before it. The key's
mod_revision, read from the store, says whether the cache's object is that state; asking for it
costs less than the object, and any number of reads that come together ask in one transaction.

    GET a, GET b, GET a  ──▶  Txn(Range a keys_only, Range b keys_only)  ──▶  17, 12, 17

A key that is asked for while a transaction is under way waits for the next one: an answer is never
older than its question. There is one at a time, so that the more is asked, the more go together;
and before it the event loop has a few turns, short ones if it is idle, in which more may come.
"""

import asyncio
from itertools import islice
from time import perf_counter

from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.errors import StoreError
from control_plane.apiserver.latency import CURRENT, Latencies

MAX_KEYS = 128  # in one transaction: what etcd takes by default
TURNS = 4  # of the event loop before a transaction: a transaction costs it as much as ten reads

Answer = asyncio.Future[int | None]


class KeyRevisions:
    """Asks the store while `run` runs."""

    def __init__(self, etcd: EtcdClient) -> None:
        """Ask this store."""
        self._etcd = etcd
        self._waiting: dict[bytes, list[Answer]] = {}  # bounded by the requests being served
        self._wake = asyncio.Event()
        self._runs = False

    async def run(self) -> None:
        """Answer until cancelled."""
        self._runs = True
        try:
            await self._serve()
        finally:
            self._runs = False
            _settle([answer for answers in self._waiting.values() for answer in answers], None)
            self._waiting.clear()

    def of(self, key: bytes) -> Answer:
        """The key's mod_revision now, 0 if it does not exist; raises StoreError.

        None when nobody asks, as the server is about to end: read the key itself.
        """
        answer: Answer = asyncio.get_running_loop().create_future()
        if self._runs:
            self._waiting.setdefault(key, []).append(answer)
            self._wake.set()
        else:
            answer.set_result(None)
        latencies = CURRENT.get()
        if latencies is not None:
            _time(answer, latencies)
        return answer

    async def _serve(self) -> None:
        while True:
            await self._wake.wait()
            for _ in range(TURNS):
                await asyncio.sleep(0)
            asked = self._take()
            if asked:
                await self._answer(asked)

    def _take(self) -> dict[bytes, list[Answer]]:
        taken = dict(islice(self._waiting.items(), MAX_KEYS))
        for key in taken:
            del self._waiting[key]
        if not self._waiting:
            self._wake.clear()
        return taken

    async def _answer(self, asked: dict[bytes, list[Answer]]) -> None:
        try:
            revisions = await self._etcd.mod_revisions(list(asked))
        except StoreError as error:
            for answers in asked.values():
                _refuse(answers, error)
        except asyncio.CancelledError:
            for answers in asked.values():
                _settle(answers, None)
            raise
        else:
            for answers, revision in zip(asked.values(), revisions, strict=True):
                _settle(answers, revision)


def _time(answer: Answer, latencies: Latencies) -> None:
    """Count the time until the answer as one that the request has waited for the store."""
    begun = perf_counter()
    answer.add_done_callback(lambda _: latencies.add("etcd", perf_counter() - begun))


def _settle(answers: list[Answer], revision: int | None) -> None:
    for answer in answers:
        if not answer.done():
            answer.set_result(revision)


def _refuse(answers: list[Answer], error: StoreError) -> None:
    for answer in answers:
        if not answer.done():
            answer.set_exception(error)
