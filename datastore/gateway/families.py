"""What /metrics shows, as Prometheus families under etcd's names: tables, and little else. Pure.

Every name that etcd's own dashboards and alerts use is here. What cannot happen without raft and
peers is shown as the 0 it is; what nobody counts here is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from datastore.gateway.grpc_families import add_histogram, grpc_families
from datastore.versions import SERVER_VERSION, STORAGE_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from datastore.gateway.health import Checked
    from datastore.gateway.process import ProcessFacts
    from datastore.mvcc.counters import Histogram, UpkeepCounters, WriterCounters
    from datastore.rpc.counting import MethodCounts

NO_SUFFIX = ("etcd_server_health_success", "etcd_server_health_failures")  # counters without _total


class Facts(NamedTuple):
    """A server at one moment."""

    member_id: int
    leader: int  # 0 for none
    leader_changes: int
    revision: int
    compact_revision: int  # -1 before the first compaction, as etcd has it
    keys: int
    allocated: int
    used: int
    quota: int  # negative: there is none
    pending_writes: int
    watchers: int
    slow_watchers: int
    sent_events: int
    pending_events: int
    expired_leases: int
    auth_revision: int
    alarms: tuple[tuple[int, str], ...]
    writer: WriterCounters
    upkeep: UpkeepCounters
    is_defragmenting: bool
    methods: Mapping[str, MethodCounts]
    health: tuple[int, int]  # successes, failures of /health
    checks: Mapping[tuple[str, str], Checked]
    process: ProcessFacts


def _calls(facts: Facts, path: str, code: str = "") -> int:
    counts = facts.methods.get(path)
    if counts is None:
        return 0
    return counts.handled[code] if code else counts.started


def _open_streams(facts: Facts, path: str) -> int:
    counts = facts.methods.get(path)
    return counts.started - sum(counts.handled.values()) if counts else 0


_WATCH = "/etcdserverpb.Watch/Watch"
_LEASE = "/etcdserverpb.Lease/"
_KV = "/etcdserverpb.KV/"

GAUGES: tuple[tuple[str, str, Callable[[Facts], float]], ...] = (
    ("etcd_server_has_leader", "Whether a leader exists.", lambda f: f.leader != 0),
    (
        "etcd_server_is_leader",
        "Whether this server leads.",
        lambda f: f.leader == f.member_id,
    ),
    ("etcd_server_is_learner", "Whether this server is a learner: never.", lambda f: 0),
    (
        "etcd_server_proposals_committed_total",
        "Revisions committed, where etcd counts consensus proposals.",
        lambda f: f.revision,
    ),
    (
        "etcd_server_proposals_applied_total",
        "Revisions applied, where etcd counts consensus proposals.",
        lambda f: f.revision,
    ),
    ("etcd_server_proposals_pending", "Writes that wait.", lambda f: f.pending_writes),
    ("etcd_server_quota_backend_bytes", "The quota in bytes.", lambda f: f.quota),
    ("etcd_server_snapshot_apply_in_progress_total", "Snapshots being applied.", lambda f: 0),
    ("etcd_mvcc_db_total_size_in_bytes", "Bytes the database allocates.", lambda f: f.allocated),
    ("etcd_mvcc_db_total_size_in_use_in_bytes", "Bytes of those in use.", lambda f: f.used),
    ("etcd_debugging_mvcc_keys_total", "Live keys.", lambda f: f.keys),
    ("etcd_debugging_mvcc_current_revision", "The store's revision.", lambda f: f.revision),
    ("etcd_debugging_mvcc_compact_revision", "As compacted.", lambda f: f.compact_revision),
    ("etcd_debugging_mvcc_watch_stream_total", "Open streams.", lambda f: _open_streams(f, _WATCH)),
    ("etcd_debugging_mvcc_watcher_total", "Watchers.", lambda f: f.watchers),
    ("etcd_debugging_mvcc_slow_watcher_total", "Unsynced watchers.", lambda f: f.slow_watchers),
    ("etcd_debugging_mvcc_pending_events_total", "Events to send.", lambda f: f.pending_events),
    (
        "etcd_debugging_mvcc_total_put_size_in_bytes",
        "Bytes of write requests committed.",
        lambda f: f.writer.put_bytes,
    ),
    ("etcd_debugging_auth_revision", "Revision of the users and roles.", lambda f: f.auth_revision),
    ("etcd_disk_defrag_inflight", "Whether it defragments.", lambda f: f.is_defragmenting),
    ("os_fd_used", "Open file descriptors.", lambda f: f.process.descriptors),
    ("os_fd_limit", "Allowed file descriptors.", lambda f: f.process.most_descriptors),
    (
        "process_virtual_memory_max_bytes",
        "Allowed virtual memory.",
        lambda f: f.process.most_virtual_bytes,
    ),
)
COUNTERS: tuple[tuple[str, str, Callable[[Facts], float]], ...] = (
    (
        "etcd_server_leader_changes_seen_total",
        "Changes of the leader seen.",
        lambda f: f.leader_changes,
    ),
    ("etcd_server_proposals_failed_total", "Writes not taken.", lambda f: f.writer.failed),
    ("etcd_server_heartbeat_send_failures_total", "Failed heartbeats to peers.", lambda f: 0),
    ("etcd_server_slow_apply_total", "Slow applies of proposals.", lambda f: 0),
    ("etcd_server_slow_read_indexes_total", "Slow read indexes.", lambda f: 0),
    ("etcd_server_read_indexes_failed_total", "Failed read indexes.", lambda f: 0),
    ("etcd_mvcc_put_total", "Keys put.", lambda f: f.writer.puts),
    ("etcd_mvcc_delete_total", "Keys deleted.", lambda f: f.writer.deletes),
    ("etcd_mvcc_range_total", "Range calls.", lambda f: _calls(f, f"{_KV}Range")),
    ("etcd_mvcc_txn_total", "Txn calls.", lambda f: _calls(f, f"{_KV}Txn")),
    ("etcd_debugging_mvcc_events_total", "Events given to watchers.", lambda f: f.sent_events),
    (
        "etcd_debugging_lease_granted_total",
        "Leases granted.",
        lambda f: _calls(f, f"{_LEASE}LeaseGrant", "OK"),
    ),
    (
        "etcd_debugging_lease_revoked_total",
        "Leases revoked or expired.",
        lambda f: _calls(f, f"{_LEASE}LeaseRevoke", "OK") + f.expired_leases,
    ),
    (
        "etcd_debugging_lease_renewed_total",
        "Keepalives answered.",
        lambda f: f.methods[f"{_LEASE}LeaseKeepAlive"].sent if f.methods else 0,
    ),
    ("etcd_debugging_server_lease_expired_total", "Leases expired.", lambda f: f.expired_leases),
    (
        "process_network_receive_bytes_total",
        "Bytes received in the network namespace.",
        lambda f: f.process.received_octets,
    ),
    (
        "process_network_transmit_bytes_total",
        "Bytes sent in the network namespace.",
        lambda f: f.process.sent_octets,
    ),
    (
        "etcd_network_client_grpc_received_bytes_total",
        "Bytes of messages from clients.",
        lambda f: sum(counts.received_bytes for counts in f.methods.values()),
    ),
    (
        "etcd_network_client_grpc_sent_bytes_total",
        "Bytes of messages to clients.",
        lambda f: sum(counts.sent_bytes for counts in f.methods.values()),
    ),
)
HISTOGRAMS: tuple[tuple[str, str, Callable[[Facts], Histogram]], ...] = (
    (
        "etcd_disk_wal_fsync_duration_seconds",
        "COMMIT of a batch: what makes it durable.",
        lambda f: f.writer.commits,
    ),
    (
        "etcd_disk_backend_commit_duration_seconds",
        "Transaction of a batch, from its begin to its commit.",
        lambda f: f.writer.transactions,
    ),
    (
        "etcd_disk_backend_defrag_duration_seconds",
        "Giving free space back to the file system.",
        lambda f: f.upkeep.defragments,
    ),
    (
        "etcd_disk_backend_snapshot_duration_seconds",
        "Snapshots, until the client has read them.",
        lambda f: f.upkeep.snapshots,
    ),
    ("etcd_mvcc_hash_duration_seconds", "Hash calls.", lambda f: f.upkeep.hashes),
    (
        "etcd_mvcc_hash_rev_duration_seconds",
        "HashKV calls.",
        lambda f: f.upkeep.key_space_hashes,
    ),
)


def families(facts: Facts, *, extensive: bool) -> Iterator[Metric]:
    """Yield every family."""
    for name, about, value in GAUGES:
        yield GaugeMetricFamily(name, about, value(facts))
    for name, about, value in COUNTERS:
        yield CounterMetricFamily(name, about, value(facts))
    for name, about, histogram in HISTOGRAMS:
        family = HistogramMetricFamily(name, about)
        add_histogram(family, [], histogram(facts))
        yield family
    yield from _labelled(facts)
    yield from _health(facts)
    yield from grpc_families(facts.methods, extensive=extensive)


def _labelled(facts: Facts) -> Iterator[Metric]:
    cluster = ".".join(STORAGE_VERSION.split(".")[:2])
    for name, label, text in (
        ("etcd_server_version", "server_version", SERVER_VERSION),
        ("etcd_cluster_version", "cluster_version", cluster),
        ("etcd_server_id", "server_id", f"{facts.member_id:x}"),
    ):
        family = GaugeMetricFamily(name, f"1 for this {label}.", labels=[label])
        family.add_metric([text], 1)
        yield family


def _health(facts: Facts) -> Iterator[Metric]:
    for name, value in zip(NO_SUFFIX, facts.health, strict=True):
        family = Metric(name, "Answers of /health.", "untyped")
        family.add_sample(name, {}, value)
        yield family
    now = GaugeMetricFamily(
        "etcd_server_healthcheck", "1 if the check passes.", labels=["type", "name"]
    )
    total = CounterMetricFamily(
        "etcd_server_healthchecks_total", "Checks made.", labels=["type", "name", "status"]
    )
    for (kind, check), (failures, successes, healthy) in facts.checks.items():
        now.add_metric([kind, check], healthy)
        total.add_metric([kind, check, "success"], successes)
        if failures:
            total.add_metric([kind, check, "error"], failures)
    alarms = GaugeMetricFamily(
        "etcd_debugging_server_alarms", "Alarms raised.", labels=["server_id", "alarm_type"]
    )
    for member, alarm in facts.alarms:
        alarms.add_metric([f"{member:x}", alarm], 1)
    yield from (now, total, alarms)
