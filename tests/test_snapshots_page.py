"""docs/howto/snapshots.md does what it says: its commands are run, and it answers as etcdutl does.

Only what belongs to the reader's machine is replaced: paths, and the server's URL.
"""

import re
from pathlib import Path

import grpc
import pytest

from proto.etcd import rpc_pb2 as pb
from proto.etcd import rpc_pb2_grpc
from tests.datastore.damage import run
from tests.support.datastore import Datastore
from tests.tapir.test_snapshot_command import get, put
from tests.test_datastore_page import replaced, running

PAGE = Path(__file__).parents[1] / "docs" / "howto" / "snapshots.md"


def script(place: int) -> str:
    """The commands of a block of the page."""
    return str(re.findall(r"```bash\n(.*?)```", PAGE.read_text(), re.DOTALL)[place])


def test_its_commands_do_what_it_says(tmp_path: Path) -> None:
    keys = tmp_path / "data" / "pki"
    keys.mkdir(parents=True)
    (keys / "ca.key").write_text("secret")
    with Datastore() as server:
        put(server, b"a", b"1")
        at = f" --endpoints {server.endpoint}"
        first = replaced(
            script(0),
            {"/var/lib/tapir": tmp_path, "http://127.0.0.1:2379": server.endpoint},
        )
        series = replaced(script(1), {"/var/backups": tmp_path, "--keep 7": f"--keep 7{at}"})
        series = replaced(series, {"--keep 24": f"--keep 24{at}"})
        cluster = replaced(script(2), {"--with-pki data/pki": f"--with-pki data/pki{at}"})
        whole = "\n".join([f"cd {tmp_path}", first, series, cluster, script(3)])
        with running(whole, tmp_path) as log:
            said = log.read_text()

    assert (tmp_path / "restored.db").is_file()
    assert len(list((tmp_path / "tapir").glob("snapshot-*Z.db"))) == 1
    assert len(list((tmp_path / "tapir").glob("hourly-*Z.db"))) == 1
    assert (tmp_path / "restored" / "pki" / "ca.key").read_text() == "secret"
    assert ", with 1 files of --with-pki" in said
    assert "restored at revision 1000000002" in said


@pytest.mark.parametrize("bump", [1000])
def test_a_raised_revision_answers_as_after_etcdutl(tmp_path: Path, bump: int) -> None:
    """What etcd 3.6.14 answers after `etcdutl snapshot restore` with the same two flags."""
    file, endpoint = tmp_path / "s.db", f"sqlite:///{tmp_path}/r.db"
    with Datastore() as server:
        for key in (b"k1", b"k2", b"k3", b"k1"):
            newest = put(server, key, b"v")
        run("snapshot", "save", str(file), "--endpoints", server.endpoint)
    words = ("--bump-revision", str(bump), "--mark-compacted")
    assert run("snapshot", "restore", str(file), "--endpoint", endpoint, *words).code == 0

    raised = newest + bump
    with Datastore(endpoint) as server:
        found = get(server, b"k1")
        assert (found.header.revision, found.kvs[0].mod_revision) == (raised, newest)
        with grpc.insecure_channel(server.address) as channel:
            kv = rpc_pb2_grpc.KVStub(channel)
            compacted = [_refusal(kv, at) for at in (3, newest, raised - 1)]
            assert set(compacted) == {"etcdserver: mvcc: required revision has been compacted"}
            at_it = kv.Range(pb.RangeRequest(key=b"k1", revision=raised))
            assert at_it.kvs[0].mod_revision == newest
            future = "etcdserver: mvcc: required revision is a future revision"
            assert _refusal(kv, raised + 1) == future
            upkeep = rpc_pb2_grpc.MaintenanceStub(channel)
            assert upkeep.HashKV(pb.HashKVRequest()).compact_revision == raised
            assert [_watched(channel, at) for at in (newest, raised - 1)] == [raised, raised]
        assert put(server, b"k9", b"x") == raised + 1


def _refusal(kv: rpc_pb2_grpc.KVStub, revision: int) -> str:
    with pytest.raises(grpc.RpcError) as refused:
        kv.Range(pb.RangeRequest(key=b"k1", revision=revision))
    assert isinstance(refused.value, grpc.Call)
    return str(refused.value.details())


def _watched(channel: grpc.Channel, revision: int) -> int:
    """Watch from a revision; return the one that the watch is told it was compacted at."""
    create = pb.WatchCreateRequest(key=b"k1", start_revision=revision)
    requests = iter([pb.WatchRequest(create_request=create)])
    answers = rpc_pb2_grpc.WatchStub(channel).Watch(requests)
    created, canceled = next(answers), next(answers)
    assert (created.created, canceled.canceled) == (True, True)
    answers.cancel()
    return int(canceled.compact_revision)
