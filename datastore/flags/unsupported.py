"""etcd's flags that do nothing here: accepted, and logged once, or refused by name.

A flag is refused if whoever sets it would be let down in silence: by a server that is less than was
asked for. One that tunes etcd's own machinery promises nothing, and is accepted. Rows are grouped
under the reason; a value of a wrong kind is refused all the same.
"""

from __future__ import annotations

from datastore.flags.flag import (
    BOOLEAN,
    DURATION,
    INTEGER,
    TEXT,
    UNSIGNED,
    URLS,
    WORDS,
    Kind,
    one_of,
)

Rows = tuple[tuple[str, Kind, str], ...]

_ROTATION = '{"maxsize": 100, "maxage": 0, "maxbackups": 0, "localtime": false, "compress": false}'

NO_EFFECT: dict[str, Rows] = {
    "servers of one store do not talk to each other": (
        ("listen-peer-urls", URLS, "http://localhost:2380"),
        ("initial-cluster-state", one_of("new", "existing"), "new"),
        ("initial-cluster-token", TEXT, "etcd-cluster"),
        ("peer-cert-file", TEXT, ""),
        ("peer-key-file", TEXT, ""),
        ("peer-client-cert-auth", BOOLEAN, "false"),
        ("peer-client-cert-file", TEXT, ""),
        ("peer-client-key-file", TEXT, ""),
        ("peer-trusted-ca-file", TEXT, ""),
        ("peer-cert-allowed-cn", WORDS, ""),
        ("peer-cert-allowed-hostname", WORDS, ""),
        ("peer-auto-tls", BOOLEAN, "false"),
        ("peer-crl-file", TEXT, ""),
        ("peer-skip-client-san-verification", BOOLEAN, "false"),
        ("strict-reconfig-check", BOOLEAN, "true"),
        ("max-learners", INTEGER, "1"),
        ("corrupt-check-time", DURATION, "0s"),
        ("compact-hash-check-time", DURATION, "1m"),
        ("downgrade-check-time", DURATION, "5s"),
    ),
    "there is no raft": (
        ("wal-dir", TEXT, ""),
        ("snapshot-count", UNSIGNED, "10000"),
        ("snapshot-catchup-entries", UNSIGNED, "5000"),
        ("initial-election-tick-advance", BOOLEAN, "true"),
        ("pre-vote", BOOLEAN, "true"),
        ("max-snapshots", UNSIGNED, "5"),
        ("max-wals", UNSIGNED, "5"),
        ("raft-read-timeout", DURATION, "5s"),
        ("raft-write-timeout", DURATION, "5s"),
        ("force-new-cluster", BOOLEAN, "false"),
        ("v2-deprecation", TEXT, "write-only"),
    ),
    "the database does it in its own way": (
        ("backend-bbolt-freelist-type", one_of("array", "map"), "map"),
        ("backend-batch-interval", DURATION, "0s"),
        ("backend-batch-limit", INTEGER, "0"),
        ("compaction-batch-limit", INTEGER, "1000"),
        ("compaction-sleep-interval", DURATION, "10ms"),
        ("bootstrap-defrag-threshold-megabytes", UNSIGNED, "0"),
        ("memory-mlock", BOOLEAN, "false"),
        ("unsafe-no-fsync", BOOLEAN, "false"),
        ("feature-gates", TEXT, ""),
    ),
    "Go's profiles are of Go programs": (("enable-pprof", BOOLEAN, "false"),),
    "only peers' names are compared with their addresses": (
        ("client-transport-security.skip-client-san-verification", BOOLEAN, "false"),
    ),
    "clients may ping as often as they like": (("grpc-keepalive-min-time", DURATION, "5s"),),
    "slow requests are not logged": (
        ("warning-apply-duration", DURATION, "100ms"),
        ("warning-unary-request-duration", DURATION, "300ms"),
    ),
    "only needed with a flag that is refused": (
        ("log-rotation-config-json", TEXT, _ROTATION),
        ("distributed-tracing-address", TEXT, "localhost:4317"),
        ("distributed-tracing-service-name", TEXT, "etcd"),
        ("distributed-tracing-instance-id", TEXT, ""),
        ("distributed-tracing-sampling-rate", INTEGER, "0"),
        ("discovery-dial-timeout", DURATION, "2s"),
        ("discovery-request-timeout", DURATION, "5s"),
        ("discovery-keepalive-time", DURATION, "2s"),
        ("discovery-keepalive-timeout", DURATION, "6s"),
        ("discovery-insecure-transport", BOOLEAN, "true"),
        ("discovery-insecure-skip-tls-verify", BOOLEAN, "false"),
        ("discovery-cert", TEXT, ""),
        ("discovery-key", TEXT, ""),
        ("discovery-cacert", TEXT, ""),
        ("discovery-user", TEXT, ""),
        ("discovery-password", TEXT, ""),
        ("discovery-proxy", TEXT, ""),
        ("discovery-fallback", one_of("exit", "proxy"), "exit"),
    ),
    "the server makes no connections to itself": (
        ("client-cert-file", TEXT, ""),
        ("client-key-file", TEXT, ""),
    ),
    "etcd ignores it too": (
        ("cluster-active-size", BOOLEAN, "false"),
        ("cluster-remove-delay", BOOLEAN, "false"),
        ("cluster-sync-interval", BOOLEAN, "false"),
        ("config", BOOLEAN, "false"),
        ("force", BOOLEAN, "false"),
        ("max-result-buffer", BOOLEAN, "false"),
        ("max-retry-attempts", BOOLEAN, "false"),
        ("peer-heartbeat-interval", BOOLEAN, "false"),
        ("peer-election-timeout", BOOLEAN, "false"),
        ("retry-interval", BOOLEAN, "false"),
        ("snapshot", BOOLEAN, "false"),
        ("v", BOOLEAN, "false"),
        ("vv", BOOLEAN, "false"),
    ),
}

REFUSED: dict[str, Rows] = {
    "servers find each other in the database: leave it out": (
        ("discovery", TEXT, ""),
        ("discovery-token", TEXT, ""),
        ("discovery-endpoints", WORDS, ""),
        ("discovery-srv", TEXT, ""),
        ("discovery-srv-name", TEXT, ""),
    ),
    "rotate the log from outside: a file that was moved is opened anew": (
        ("enable-log-rotation", BOOLEAN, "false"),
    ),
    "there is no tracing here": (("enable-distributed-tracing", BOOLEAN, "false"),),
}
