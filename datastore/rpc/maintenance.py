"""etcdserverpb.Maintenance: Status, Alarm and MoveLeader.

Methods that are not in METHODS (Defragment, Hash, HashKV, Snapshot, Downgrade) are UNIMPLEMENTED.
"""

from __future__ import annotations

from typing import cast

from datastore.errors import BadLeaderTransferee, InvalidRequest
from datastore.mvcc.model import Alarm
from datastore.mvcc.requests import DisarmAlarm, RaiseAlarm
from datastore.rpc.answering import RAFT_TERM, Edge, Method, Unary
from proto.etcd import rpc_pb2

SERVICE = "etcdserverpb.Maintenance"
VERSION = "3.6.14"  # the etcd whose behaviour this is; clients gate features by it
STORAGE_VERSION = "3.6.0"
UINT64 = 1 << 64


async def _status(edge: Edge, _: rpc_pb2.StatusRequest) -> rpc_pb2.StatusResponse:
    store = edge.store
    state, alarms = await store.alarms()
    raised = [f"memberID:{_unsigned(a.member_id)} alarm:{_name(a.alarm)} " for a in alarms]
    return rpc_pb2.StatusResponse(
        header=edge.header(state.revision),
        version=VERSION,
        dbSize=store.size.allocated,
        dbSizeInUse=store.size.used,
        dbSizeQuota=max(store.limits.quota, 0),
        leader=edge.member_id,
        raftIndex=state.revision,
        raftAppliedIndex=state.revision,
        raftTerm=RAFT_TERM,
        errors=[*raised, *store.backend.warnings],
        storageVersion=STORAGE_VERSION,
        downgradeInfo=rpc_pb2.DowngradeInfo(enabled=False),
    )


async def _alarm(edge: Edge, request: rpc_pb2.AlarmRequest) -> rpc_pb2.AlarmResponse:
    """List, raise or disarm alarms; numbers that etcd does not know are refused."""
    if request.alarm not in rpc_pb2.AlarmType.values():
        raise InvalidRequest(f"etcdserver: unknown alarm type {request.alarm}")
    match request.action:
        case rpc_pb2.AlarmRequest.GET:
            state, alarms = await edge.store.alarms()
            revision = state.revision
            alarms = [a for a in alarms if request.alarm in (rpc_pb2.NONE, a.alarm)]
        case rpc_pb2.AlarmRequest.ACTIVATE | rpc_pb2.AlarmRequest.DEACTIVATE:
            revision, alarms = await _change_alarm(edge, request)
        case _:
            raise InvalidRequest(f"etcdserver: unknown alarm action {request.action}")
    return rpc_pb2.AlarmResponse(
        header=edge.header(revision),
        alarms=[
            rpc_pb2.AlarmMember(memberID=_unsigned(a.member_id), alarm=_type(a.alarm))
            for a in alarms
        ],
    )


async def _change_alarm(edge: Edge, request: rpc_pb2.AlarmRequest) -> tuple[int, list[Alarm]]:
    if request.alarm == rpc_pb2.NONE:
        return (await edge.store.state()).revision, []
    alarm = Alarm(_signed(request.memberID), int(request.alarm))
    activate = request.action == rpc_pb2.AlarmRequest.ACTIVATE
    change = RaiseAlarm(alarm) if activate else DisarmAlarm(alarm)
    changed = await edge.store.writer.submit(change)
    return changed.revision, changed.alarms


async def _move_leader(
    edge: Edge, request: rpc_pb2.MoveLeaderRequest
) -> rpc_pb2.MoveLeaderResponse:
    if request.targetID != edge.member_id:
        raise BadLeaderTransferee
    return rpc_pb2.MoveLeaderResponse()


def _unsigned(number: int) -> int:
    return number % UINT64


def _signed(number: int) -> int:
    return number - UINT64 if number >= UINT64 // 2 else number


def _type(alarm: int) -> rpc_pb2.AlarmType:
    return cast("rpc_pb2.AlarmType", alarm)


def _name(alarm: int) -> str:
    return str(rpc_pb2.AlarmType.Name(alarm))


METHODS: dict[str, Method] = {
    "Status": Unary(rpc_pb2.StatusRequest, _status),
    "Alarm": Unary(rpc_pb2.AlarmRequest, _alarm),
    "MoveLeader": Unary(rpc_pb2.MoveLeaderRequest, _move_leader),
}
