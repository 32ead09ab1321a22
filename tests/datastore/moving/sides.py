"""Both sides of a move for tests: filling an etcd, reading all of a server, running the command."""

import io
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc

from datastore.tools.check import check
from datastore.tools.moving.importing import Imported, import_store
from datastore.tools.moving.progress import Progress
from datastore.tools.moving.record import Source
from proto.etcd import rpc_pb2 as pb
from proto.etcd import rpc_pb2_grpc

SECONDS = 100
EVERY = b"\0"


class Client:
    """A client of an etcd, or of a server of ours."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.kv = rpc_pb2_grpc.KVStub(channel)
        self.lease = rpc_pb2_grpc.LeaseStub(channel)
        self.watch = rpc_pb2_grpc.WatchStub(channel)
        self.auth = rpc_pb2_grpc.AuthStub(channel)

    def put(self, key: bytes, value: bytes = b"", lease: int = 0) -> int:
        """Put a key and return the revision."""
        request = pb.PutRequest(key=key, value=value, lease=lease)
        return int(self.kv.Put(request).header.revision)

    def put_many(self, items: dict[bytes, bytes]) -> None:
        """Put many keys at one revision."""
        puts = [pb.PutRequest(key=key, value=value) for key, value in items.items()]
        self.kv.Txn(pb.TxnRequest(success=[pb.RequestOp(request_put=put) for put in puts]))

    def grant(self, ttl: int, lease: int = 0) -> int:
        """Grant a lease."""
        return int(self.lease.LeaseGrant(pb.LeaseGrantRequest(TTL=ttl, ID=lease)).ID)

    def delete(self, key: bytes) -> None:
        """Delete a key."""
        self.kv.DeleteRange(pb.DeleteRangeRequest(key=key))

    def compact(self) -> int:
        """Compact everything up to now."""
        revision = self.everything().header.revision
        self.kv.Compact(pb.CompactionRequest(revision=revision, physical=True))
        return int(revision)

    def everything(self) -> pb.RangeResponse:
        """Read every key."""
        answer: pb.RangeResponse = self.kv.Range(pb.RangeRequest(key=EVERY, range_end=EVERY))
        return answer

    def values_by_key(self) -> dict[bytes, bytes]:
        """Return every key and its value."""
        return {kv.key: kv.value for kv in self.everything().kvs}


@contextmanager
def client_of(address: str) -> Iterator[Client]:
    """Connect to host:port."""
    with grpc.insecure_channel(address) as channel:
        yield Client(channel)


def tapir(
    *words: str | Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command of ours."""
    return subprocess.run(
        [sys.executable, "-m", "tapir", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env=env,
    )


def imported(source: Source, database: str, *, without_users: bool = False) -> Imported:
    """Import in this process; what has come over is sound."""
    progress = Progress(io.StringIO())
    done = import_store(source, database, progress, without_users=without_users, shown=10)
    assert [str(finding) for finding in check(database)] == []
    return done


CUT_SHORT = """
import io, os, signal, sys
from datastore.tools.endpoint import Server
from datastore.tools.moving.importing import import_store
from datastore.tools.moving.progress import Progress
from datastore.tools.moving.sources import source_of

source = source_of(Server(sys.argv[1]))
whole = source.records

def cut(after):
    for number, batch in enumerate(whole(after)):
        if number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        yield batch

source.records = cut
import_store(source, sys.argv[2], Progress(io.StringIO()), without_users=False, shown=1)
"""


def cut_short(source: str, database: str) -> None:
    """Import, and be killed after the first batch of keys."""
    words = [sys.executable, "-c", CUT_SHORT, source, database]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
