"""What each server answers about itself, asked over the wire as etcdctl would ask it.

A real etcd is asked in the same way. Nothing is changed, and no server is waited for longer than
its time-outs; several are asked at once.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import grpc

from datastore.tools.endpoint import CannotReach, connect, credentials, said
from datastore.tools.standing.lag import NoMetrics, read_lag
from proto.etcd import rpc_pb2 as pb
from proto.etcd import rpc_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datastore.tools.endpoint import Server
    from datastore.tools.standing.lag import Lag

ANSWER_SECONDS = 10
AT_ONCE = 8


class Member(NamedTuple):
    """A server of the member list."""

    id: int
    name: str
    client_urls: tuple[str, ...]


class Alarm(NamedTuple):
    """An alarm that is up, by its name, and the member that raised it."""

    member: int
    name: str


class Answer(NamedTuple):
    """What a server says: sizes in bytes, `quota` 0 for none, `seconds` until its answer."""

    version: str
    cluster: int
    member: int
    leader: int
    revision: int
    size: int
    in_use: int
    quota: int
    seconds: float
    warnings: tuple[str, ...]
    alarms: tuple[Alarm, ...]
    members: tuple[Member, ...]


class Asked(NamedTuple):
    """A server that was asked: its answer, or why there is none. The same for its metrics."""

    endpoint: str
    answer: Answer | None = None
    trouble: str = ""
    lag: Lag | None = None
    lag_trouble: str = ""


def ask_all(servers: Sequence[Server], metrics: Sequence[str] = ()) -> list[Asked]:
    """Ask every server; `metrics` are the URLs of theirs, in the same order, or none at all."""
    urls = metrics or [""] * len(servers)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(_ask, servers, urls))


def members_of(server: Server) -> tuple[Member, ...]:
    """Return the servers of the store that this one tells of; CannotReach when it does not."""
    try:
        with connect(server) as channel:
            return _listed(channel, credentials(channel, server))
    except grpc.RpcError as error:
        raise CannotReach(f"endpoint {server.endpoint}: {said(error)}") from error


def _listed(channel: grpc.Channel, who: list[tuple[str, str]]) -> tuple[Member, ...]:
    listed = rpc_pb2_grpc.ClusterStub(channel).MemberList(
        pb.MemberListRequest(linearizable=True), metadata=who, timeout=ANSWER_SECONDS
    )
    return tuple(Member(m.ID, m.name, tuple(m.clientURLs)) for m in listed.members)


def _ask(server: Server, metrics: str) -> Asked:
    asked = Asked(server.endpoint)
    try:
        asked = asked._replace(answer=_answer(server))
    except grpc.RpcError as error:
        return asked._replace(trouble=said(error))
    except CannotReach as error:
        return asked._replace(trouble=str(error).removeprefix(f"endpoint {server.endpoint} "))
    assert asked.answer is not None
    if not metrics:
        return asked
    try:
        return asked._replace(lag=read_lag(metrics, server.cacert, asked.answer.revision))
    except NoMetrics as error:
        return asked._replace(lag_trouble=str(error))


def _answer(server: Server) -> Answer:
    with connect(server) as channel:
        who = credentials(channel, server)
        upkeep = rpc_pb2_grpc.MaintenanceStub(channel)
        began = time.monotonic()
        status = upkeep.Status(pb.StatusRequest(), metadata=who, timeout=ANSWER_SECONDS)
        seconds = time.monotonic() - began
        request = pb.AlarmRequest(action=pb.AlarmRequest.GET)
        alarms = upkeep.Alarm(request, metadata=who, timeout=ANSWER_SECONDS).alarms
        members = _listed(channel, who)
    return Answer(
        version=status.version,
        cluster=status.header.cluster_id,
        member=status.header.member_id,
        leader=status.leader,
        revision=status.header.revision,
        size=status.dbSize,
        in_use=status.dbSizeInUse,
        quota=status.dbSizeQuota,
        seconds=seconds,
        warnings=tuple(text for text in status.errors if not _is_alarm(text)),
        alarms=tuple(Alarm(one.memberID, _name(one.alarm)) for one in alarms),
        members=members,
    )


def _is_alarm(text: str) -> bool:
    """Say whether a warning is an alarm once more, as etcd writes it."""
    return text.startswith("memberID:") and " alarm:" in text


def _name(number: int) -> str:
    found = pb.AlarmType.DESCRIPTOR.values_by_number.get(number)
    return found.name if found else str(number)
