"""A witness finds fault with what a server tells its watchers."""

import pytest

from proto.etcd import kv_pb2
from proto.etcd import rpc_pb2 as pb
from tests.robustness.witness import Witness


def events(*revisions: int) -> pb.WatchResponse:
    """An answer with an event of each revision."""
    kvs = [kv_pb2.KeyValue(key=b"k", mod_revision=revision) for revision in revisions]
    header = pb.ResponseHeader(revision=max(revisions))
    return pb.WatchResponse(header=header, events=[kv_pb2.Event(kv=kv) for kv in kvs])


def progress(revision: int) -> pb.WatchResponse:
    """An answer that says that all up to a revision has been told."""
    return pb.WatchResponse(header=pb.ResponseHeader(revision=revision))


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        pytest.param([events(2, 3), events(4), progress(4)], "", id="the truth"),
        pytest.param([events(2, 2), events(3)], "", id="several events of one revision"),
        pytest.param([events(2), events(4)], "saw revision 4 after 2", id="a gap"),
        pytest.param([events(2, 3), events(2)], "saw revision 2 again", id="one again"),
        pytest.param(
            [events(2), progress(3)], "all up to 3 has come, after 2", id="hasty progress"
        ),
        pytest.param([pb.WatchResponse(canceled=True)], "was cancelled", id="cancelled"),
    ],
)
async def test_a_witness_judges_what_it_is_told(answers: list[pb.WatchResponse], said: str) -> None:
    witness = Witness(["nowhere"], "witness", 1)
    for answer in answers:
        await witness.take(answer)

    assert [said in text for text in witness.violations] == [True] * bool(said)
