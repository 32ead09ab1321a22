"""/metrics: the names and types that dashboards and alerts use, and that they count."""

import grpc
import pytest

from proto.etcd import rpc_pb2 as pb
from proto.etcd import rpc_pb2_grpc
from tests.contract.http.metrics import samples, types, value_of
from tests.contract.http.web import Ports, Web, b64

DASHBOARDS = {
    "etcd_server_has_leader": "gauge",
    "etcd_server_is_leader": "gauge",
    "etcd_server_is_learner": "gauge",
    "etcd_server_leader_changes_seen_total": "counter",
    "etcd_server_proposals_committed_total": "gauge",
    "etcd_server_proposals_applied_total": "gauge",
    "etcd_server_proposals_pending": "gauge",
    "etcd_server_proposals_failed_total": "counter",
    "etcd_server_quota_backend_bytes": "gauge",
    "etcd_server_version": "gauge",
    "etcd_server_id": "gauge",
    "etcd_cluster_version": "gauge",
    "etcd_server_health_success": "counter",
    "etcd_server_health_failures": "counter",
    "etcd_server_heartbeat_send_failures_total": "counter",
    "etcd_server_slow_apply_total": "counter",
    "etcd_server_slow_read_indexes_total": "counter",
    "etcd_server_read_indexes_failed_total": "counter",
    "etcd_server_healthcheck": "gauge",
    "etcd_server_healthchecks_total": "counter",
    "etcd_mvcc_db_total_size_in_bytes": "gauge",
    "etcd_mvcc_db_total_size_in_use_in_bytes": "gauge",
    "etcd_mvcc_put_total": "counter",
    "etcd_mvcc_delete_total": "counter",
    "etcd_mvcc_range_total": "counter",
    "etcd_mvcc_txn_total": "counter",
    "etcd_disk_wal_fsync_duration_seconds": "histogram",
    "etcd_disk_backend_commit_duration_seconds": "histogram",
    "etcd_disk_backend_defrag_duration_seconds": "histogram",
    "etcd_disk_backend_snapshot_duration_seconds": "histogram",
    "etcd_disk_defrag_inflight": "gauge",
    "etcd_mvcc_hash_duration_seconds": "histogram",
    "etcd_mvcc_hash_rev_duration_seconds": "histogram",
    "etcd_network_client_grpc_received_bytes_total": "counter",
    "etcd_network_client_grpc_sent_bytes_total": "counter",
    "etcd_debugging_mvcc_keys_total": "gauge",
    "etcd_debugging_mvcc_current_revision": "gauge",
    "etcd_debugging_mvcc_compact_revision": "gauge",
    "etcd_debugging_mvcc_watcher_total": "gauge",
    "etcd_debugging_mvcc_watch_stream_total": "gauge",
    "etcd_debugging_mvcc_slow_watcher_total": "gauge",
    "etcd_debugging_mvcc_pending_events_total": "gauge",
    "etcd_debugging_mvcc_events_total": "counter",
    "etcd_debugging_mvcc_total_put_size_in_bytes": "gauge",
    "etcd_debugging_lease_granted_total": "counter",
    "etcd_debugging_lease_revoked_total": "counter",
    "etcd_debugging_lease_renewed_total": "counter",
    "etcd_debugging_server_lease_expired_total": "counter",
    "etcd_debugging_auth_revision": "gauge",
    "grpc_server_started_total": "counter",
    "grpc_server_handled_total": "counter",
    "grpc_server_msg_received_total": "counter",
    "grpc_server_msg_sent_total": "counter",
    "process_resident_memory_bytes": "gauge",
    "process_virtual_memory_bytes": "gauge",
    "process_virtual_memory_max_bytes": "gauge",
    "process_network_receive_bytes_total": "counter",
    "process_network_transmit_bytes_total": "counter",
    "process_start_time_seconds": "gauge",
    "process_cpu_seconds_total": "counter",
    "process_open_fds": "gauge",
    "process_max_fds": "gauge",
    "os_fd_used": "gauge",
    "os_fd_limit": "gauge",
}
HANDLING = "grpc_server_handling_seconds"
CODES = {
    *("OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound"),
    *("AlreadyExists", "PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted"),
    *("OutOfRange", "Unimplemented", "Internal", "Unavailable", "DataLoss", "Unauthenticated"),
}


def test_names_and_types(web: Web, metrics_web: Web) -> None:
    web.get("/readyz")
    found = types(metrics_web)

    assert found.items() >= DASHBOARDS.items(), DASHBOARDS.items() - found.items()
    assert HANDLING not in found
    header = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
    assert web.get("/metrics").headers["content-type"] == header


def test_every_method_has_every_code(web: Web) -> None:
    handled = samples(web, "grpc_server_handled_total")
    methods = {(s.labels["grpc_service"], s.labels["grpc_method"]) for s in handled}

    assert {s.labels["grpc_code"] for s in handled} == CODES
    assert {
        ("etcdserverpb.KV", "Txn"),
        ("etcdserverpb.Watch", "Watch"),
        ("etcdserverpb.Lease", "LeaseKeepAlive"),
        ("etcdserverpb.Maintenance", "Snapshot"),
        ("etcdserverpb.Cluster", "MemberList"),
        ("etcdserverpb.Auth", "Authenticate"),
        ("grpc.health.v1.Health", "Check"),
    } <= methods
    kinds = {s.labels["grpc_method"]: s.labels["grpc_type"] for s in handled}
    assert (kinds["Put"], kinds["Snapshot"], kinds["LeaseKeepAlive"]) == (
        "unary",
        "server_stream",
        "bidi_stream",
    )


BUCKETS = {
    "etcd_disk_wal_fsync_duration_seconds": (0.001, 14),
    "etcd_disk_backend_commit_duration_seconds": (0.001, 14),
    "etcd_disk_backend_defrag_duration_seconds": (0.1, 13),
    "etcd_disk_backend_snapshot_duration_seconds": (0.01, 17),
    "etcd_mvcc_hash_duration_seconds": (0.01, 15),
    "etcd_mvcc_hash_rev_duration_seconds": (0.01, 15),
}


@pytest.mark.parametrize("name", BUCKETS)
def test_buckets(web: Web, name: str) -> None:
    first, count = BUCKETS[name]

    assert {float(bucket.labels["le"]) for bucket in samples(web, f"{name}_bucket")} == {
        *(first * 2**n for n in range(count)),
        float("inf"),
    }


@pytest.mark.own_server("--metrics=extensive")
def test_counts(own: Ports) -> None:
    web = own.web
    before = {name: value_of(web, name) for name in MOVED}
    put = {"grpc_service": "etcdserverpb.KV", "grpc_method": "Put"}

    web.call("kv/put", {"key": b64(b"a"), "value": b64(b"x" * 1000)})
    web.call("kv/txn", {"success": [{"request_put": {"key": b64(b"b")}}]})
    web.call("kv/deleterange", {"key": b64(b"b")})
    web.call("kv/range", {"key": b64(b"a")})
    web.send("POST", "/v3/kv/put", "{}")
    web.get("/health")
    lease = web.call("lease/grant", {"TTL": "60"})["ID"]
    web.call("lease/keepalive", {"ID": lease})
    web.call("lease/revoke", {"ID": lease})
    with web.stream("watch", {"create_request": {"key": b64(b"a"), "start_revision": 1}}) as stream:
        stream.result()
        stream.result()
        assert value_of(web, "etcd_debugging_mvcc_watcher_total") == 1
        assert value_of(web, "etcd_debugging_mvcc_watch_stream_total") == 1

    moved = {name: value_of(web, name) - before[name] for name in MOVED}
    assert {name for name, by in moved.items() if by < MOVED[name]} == set(), moved
    assert value_of(web, "etcd_debugging_mvcc_current_revision") == 4
    assert value_of(web, "etcd_debugging_mvcc_compact_revision") == -1
    assert value_of(web, "etcd_debugging_mvcc_keys_total") == 1
    assert value_of(web, "etcd_server_has_leader") == 1
    assert value_of(web, "etcd_server_quota_backend_bytes") == 2 << 30
    assert value_of(web, "grpc_server_started_total", **put) == 2
    assert value_of(web, "grpc_server_handled_total", grpc_code="OK", **put) == 1
    assert value_of(web, "grpc_server_handled_total", grpc_code="InvalidArgument", **put) == 1
    assert value_of(web, "grpc_server_msg_sent_total", **put) == 2
    assert types(web)[HANDLING] == "histogram"
    assert value_of(web, f"{HANDLING}_count", **put) == 2
    assert value_of(web, f"{HANDLING}_bucket", le="+Inf", **put) == 2


MOVED = {
    "etcd_mvcc_put_total": 2,
    "etcd_mvcc_delete_total": 1,
    "etcd_mvcc_range_total": 1,
    "etcd_server_proposals_committed_total": 3,
    "etcd_debugging_mvcc_events_total": 1,
    "etcd_debugging_mvcc_total_put_size_in_bytes": 1000,
    "etcd_debugging_lease_granted_total": 1,
    "etcd_debugging_lease_renewed_total": 1,
    "etcd_debugging_lease_revoked_total": 1,
    "etcd_server_health_success": 1,
    "etcd_network_client_grpc_received_bytes_total": 1000,
    "etcd_network_client_grpc_sent_bytes_total": 1000,
}


def test_calls_over_grpc_are_counted(web: Web, grpc_address: str, key: bytes) -> None:
    put = {"grpc_service": "etcdserverpb.KV", "grpc_method": "Put"}
    watch = {"grpc_service": "etcdserverpb.Watch", "grpc_method": "Watch"}
    names = ("grpc_server_started_total", "grpc_server_msg_received_total")
    before = {name: (value_of(web, name, **put), value_of(web, name, **watch)) for name in names}
    done = {"grpc_code": "OK", **put}
    handled = value_of(web, "grpc_server_handled_total", **done)

    with grpc.insecure_channel(grpc_address) as channel:
        stub = rpc_pb2_grpc.KVStub(channel)
        for _ in range(3):
            stub.Put(pb.PutRequest(key=key))
        create = pb.WatchRequest(create_request=pb.WatchCreateRequest(key=key))
        watching = rpc_pb2_grpc.WatchStub(channel).Watch(iter([create]))
        assert next(watching).created
        for name in names:
            assert value_of(web, name, **put) == before[name][0] + 3
            assert value_of(web, name, **watch) > before[name][1]
        watching.cancel()

    assert value_of(web, "grpc_server_handled_total", **done) == handled + 3


@pytest.mark.parametrize("body", ["{", '{"name": 5}', {"password": "x" * 2_200_000}])
def test_what_holds_no_request_is_no_call(web: Web, body: str | dict[str, str]) -> None:
    changed = {"grpc_service": "etcdserverpb.Auth", "grpc_method": "UserChangePassword"}
    names = [f"grpc_server_{name}_total" for name in ("started", "handled", "msg_sent")]
    before = [samples(web, name, **changed) for name in names]

    answer = web.send("POST", "/v3/auth/user/changepw", body)

    assert answer.status in (400, 429)
    assert [samples(web, name, **changed) for name in names] == before


@pytest.mark.own_server("--quota-backend-bytes=-1", "--metrics=extensive")
def test_a_server_without_a_quota_is_never_near_it(own: Ports) -> None:
    assert value_of(own.web, "etcd_server_quota_backend_bytes") == -1
    bounds = {s.labels["le"] for s in samples(own.web, f"{HANDLING}_bucket")}
    assert bounds >= {"0.005", "1", "2.5", "10", "+Inf"}


def test_work_on_the_whole_store_is_timed(web: Web) -> None:
    calls = {
        "maintenance/hash": "etcd_mvcc_hash_duration_seconds_count",
        "maintenance/hashkv": "etcd_mvcc_hash_rev_duration_seconds_count",
        "maintenance/defragment": "etcd_disk_backend_defrag_duration_seconds_count",
        "maintenance/snapshot": "etcd_disk_backend_snapshot_duration_seconds_count",
    }
    before = {name: value_of(web, name) for name in calls.values()}

    for path in calls:
        assert web.send("POST", f"/v3/{path}", "{}").status == 200

    for name, count in before.items():
        assert value_of(web, name) == count + 1, name


def test_alarms(web: Web) -> None:
    raised = {"memberID": "5", "alarm": "NOSPACE"}
    labels = {"server_id": "5", "alarm_type": "NOSPACE"}

    web.call("maintenance/alarm", {"action": "ACTIVATE", **raised})
    value = value_of(web, "etcd_debugging_server_alarms", **labels)
    web.call("maintenance/alarm", {"action": "DEACTIVATE", **raised})

    assert value == 1
