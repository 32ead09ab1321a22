"""How ours holds out as its store grows: from 10,000 keys of 1 KB to 1,000,000, each written twice.

The small store and the large one are served by two processes and measured in turn. The history is
what the second round of writes leaves, so there are as many old revisions as keys. On PostgreSQL
and MariaDB the two stores are databases of one server.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import grpc

from proto.etcd import rpc_pb2 as pb
from proto.etcd import rpc_pb2_grpc
from tests.bench.compiled_client import run_loader
from tests.bench.contenders import Contender, data_directory, start, start_on
from tests.bench.databases import MARIADB_SETTINGS
from tests.bench.datastores import Plan, revision_of
from tests.bench.processes import cpu_share, forget_peak_rss, peak_rss_mib, rss_mib
from tests.bench.rows import MILLION, PAGES
from tests.support.large_tables import Fill, fill_tables
from tests.support.mariadb import Mariadb
from tests.support.postgres import Postgres

SETTLE_SECONDS = 10.0
WARM_SECONDS = 5.0
IDLE_SECONDS = 30.0
COSTS = "costs"  # beside the works: what the large store costs
READ_KEYS = 200_000  # of 1 KB: the 200 MB that are read in pages or streamed
PAGE_KEYS = 500
CHANNEL_OPTIONS = [("grpc.max_receive_message_length", -1)]
STORES: Mapping[str, Mapping[str, Any]] = {"small": PAGES, "large": MILLION}
# Memory for pages, as databases are given that hold some GB on a machine of their own. With the
# 128 MB that both come with, the disk would be measured: the large store is 3 GB.
MEMORY = "4G"
DATABASES: Mapping[str, Callable[[], AbstractContextManager[Postgres | Mariadb]]] = {
    "growth-postgresql": lambda: Postgres(shared_buffers=f"{MEMORY}B"),
    "growth-mariadb": lambda: Mariadb(**{**MARIADB_SETTINGS, "innodb_buffer_pool_size": MEMORY}),
}
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Filled:
    """A served store, what is in it, and the revision at which every key was written once."""

    server: Contender
    keys: Mapping[str, Any]
    old_revision: int


def measure(front: str, plan: Plan, say: Say) -> dict[str, dict[str, float]]:
    """Return rates by work and store, and what the large store costs at start and in memory."""
    with data_directory() as directory, ExitStack() as stack:

        def filled(name: str, keys: Mapping[str, Any]) -> Filled:
            server = _started(stack, start(front, Path(directory) / name))
            return _fill(server, keys)

        return _measure(filled, plan, say)


def measure_on(part: str, plan: Plan, say: Say) -> dict[str, dict[str, float]]:
    """Return the same of one of DATABASES, which makes the rows itself: it takes a minute or two.

    PostgreSQL's autovacuum would come to them within a few minutes, and somewhere in between.
    """
    with data_directory() as directory, DATABASES[part]() as database, ExitStack() as stack:

        def filled(name: str, keys: Mapping[str, Any]) -> Filled:
            fill = Fill(keys["prefix"], keys["value_bytes"])
            old = fill_tables(database, name, keys["keys"], keys["keys"], fill)
            if isinstance(database, Postgres):
                database.run("VACUUM ANALYZE", database=name)
            server = start_on(name, database.url(name), Path(directory) / name)
            return Filled(_started(stack, server), keys, old)

        return _measure(filled, plan, say)


def _started(stack: ExitStack, server: Contender) -> Contender:
    stack.callback(server.process.kill)
    return server


def _measure(
    filled: Callable[[str, Mapping[str, Any]], Filled], plan: Plan, say: Say
) -> dict[str, dict[str, float]]:
    stores = {}
    for name, keys in STORES.items():
        say(f"{name} store: {keys['keys']:,} keys, twice")
        stores[name] = filled(name, keys)
    rates = _rates(stores, plan.runs, plan.seconds, say)
    return {**rates, COSTS: _costs(stores["large"], say)}


def _fill(server: Contender, keys: Mapping[str, Any]) -> Filled:
    run_loader(server, "fill", 0, in_flight=4, connections=1, **keys)
    old = revision_of(server)
    run_loader(server, "fill", 0, in_flight=4, connections=1, **keys)
    return Filled(server, keys, old)


def _works(store: Filled) -> dict[str, tuple[str, dict[str, Any]]]:
    """Name the loads: the work of the load program, and its flags. Puts come last."""
    few = {"in_flight": 4, "connections": 1, **store.keys}
    return {
        "point read": ("range", few),
        "500-key page, newest": ("page", {**few, "pages": 1}),
        "500-key page, old revision": ("page", {**few, "revision": store.old_revision}),
        "put": ("put", few),
    }


def _rates(
    stores: Mapping[str, Filled], runs: int, seconds: float, say: Say
) -> dict[str, dict[str, float]]:
    rates = {}
    for work in _works(stores["small"]):
        seen: dict[str, list[float]] = {name: [] for name in stores}
        for store in stores.values():  # the first page of a range counts it, once
            what, flags = _works(store)[work]
            run_loader(store.server, what, WARM_SECONDS, **flags)
        for _run in range(runs):
            for name, store in stores.items():
                what, flags = _works(store)[work]
                load = run_loader(store.server, what, seconds, **flags)
                seen[name].append(load.per_second)
        rates[work] = {name: median(runs) for name, runs in seen.items()}
        say(f"{work}: " + "  ".join(f"{n} {r:,.0f}/s" for n, r in rates[work].items()))
    return rates


def _costs(store: Filled, say: Say) -> dict[str, float]:
    """Start the server again, twice, and read 200 MB of it; seconds, MiB, percent of a core."""
    process = store.server.process
    costs = {
        "start_s": _restart(store, kill=False),
        "start_after_kill_s": _restart(store, kill=True),
    }
    say(f"large store starts in {costs['start_s']:.2f} s")
    time.sleep(SETTLE_SECONDS)
    costs["rest_mib"] = rss_mib(process.pid)
    costs["idle_cpu"] = cpu_share(process.pid, IDLE_SECONDS)
    for name, read in (("pages", _read_pages), ("stream", _read_stream)):
        try:
            costs[f"{name}_mib"] = _peak(store, read)
        except grpc.RpcError as error:
            say(f"200 MB in {name} is left out: {error.details()}")
        else:
            say(f"200 MB in {name}: {costs[f'{name}_mib']:.0f} MiB at most")
    return costs


def _peak(store: Filled, read: Callable[[rpc_pb2_grpc.KVStub, bytes], int]) -> float:
    """Read READ_KEYS keys; return the server's highest memory meanwhile."""
    forget_peak_rss(store.server.pid)
    with grpc.insecure_channel(store.server.address, options=CHANNEL_OPTIONS) as channel:
        found = read(rpc_pb2_grpc.KVStub(channel), store.keys["prefix"].encode())
    if found != READ_KEYS:
        raise RuntimeError(f"{found} keys were read, expected {READ_KEYS}")
    return peak_rss_mib(store.server.pid)


def _restart(store: Filled, *, kill: bool) -> float:
    """Return the seconds from the start of the process to its first answer."""
    process = store.server.process
    if kill:
        run_loader(store.server, "put", 1, in_flight=64, connections=1, **store.keys)
        process.kill()
    else:
        process.stop()
    began = time.monotonic()
    process.restart(kill=True)
    return time.monotonic() - began


def _read_pages(kv: rpc_pb2_grpc.KVStub, prefix: bytes) -> int:
    found, revision, key = 0, 0, prefix
    end = b"%s%08d" % (prefix, READ_KEYS)
    while True:
        answer = kv.Range(
            pb.RangeRequest(key=key, range_end=end, limit=PAGE_KEYS, revision=revision)
        )
        found += len(answer.kvs)
        if not answer.more:
            return found
        revision = revision or answer.header.revision
        key = answer.kvs[-1].key + b"\0"


def _read_stream(kv: rpc_pb2_grpc.KVStub, prefix: bytes) -> int:
    end = b"%s%08d" % (prefix, READ_KEYS)
    answers = kv.RangeStream(pb.RangeRequest(key=prefix, range_end=end))
    return sum(len(answer.range_response.kvs) for answer in answers)
