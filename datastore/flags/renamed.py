"""Old names of etcd's flags, and the keys of a configuration file that are not a flag's name."""

from __future__ import annotations

# Experimental in etcd 3.5; 3.6 takes it with a warning, but not beside its new name.
EXPERIMENTAL = (
    "bootstrap-defrag-threshold-megabytes",
    "compact-hash-check-time",
    "compaction-batch-limit",
    "compaction-sleep-interval",
    "corrupt-check-time",
    "distributed-tracing-address",
    "distributed-tracing-instance-id",
    "distributed-tracing-sampling-rate",
    "distributed-tracing-service-name",
    "downgrade-check-time",
    "enable-distributed-tracing",
    "memory-mlock",
    "peer-skip-client-san-verification",
    "snapshot-catchup-entries",
    "warning-apply-duration",
    "warning-unary-request-duration",
    "watch-progress-notify-interval",
)

# What has become a feature gate: (flag, its default).
GATES = (
    ("experimental-compact-hash-check-enabled", "false"),
    ("experimental-enable-lease-checkpoint", "false"),
    ("experimental-enable-lease-checkpoint-persist", "false"),
    ("experimental-initial-corrupt-check", "false"),
    ("experimental-stop-grpc-service-on-defrag", "false"),
    ("experimental-txn-mode-write-with-shared-buffer", "true"),
)

# Keys inside a section of the file, and the flags that say the same.
SECTION_KEYS = {
    "client-transport-security.cert-file": "cert-file",
    "client-transport-security.key-file": "key-file",
    "client-transport-security.client-cert-file": "client-cert-file",
    "client-transport-security.client-key-file": "client-key-file",
    "client-transport-security.client-cert-auth": "client-cert-auth",
    "client-transport-security.trusted-ca-file": "trusted-ca-file",
    "client-transport-security.auto-tls": "auto-tls",
    "client-transport-security.allowed-hostname": "client-cert-allowed-hostname",
    "peer-transport-security.cert-file": "peer-cert-file",
    "peer-transport-security.key-file": "peer-key-file",
    "peer-transport-security.client-cert-file": "peer-client-cert-file",
    "peer-transport-security.client-key-file": "peer-client-key-file",
    "peer-transport-security.client-cert-auth": "peer-client-cert-auth",
    "peer-transport-security.trusted-ca-file": "peer-trusted-ca-file",
    "peer-transport-security.auto-tls": "peer-auto-tls",
    "peer-transport-security.allowed-cn": "peer-cert-allowed-cn",
    "peer-transport-security.allowed-hostname": "peer-cert-allowed-hostname",
    "peer-transport-security.skip-client-san-verification": "peer-skip-client-san-verification",
    "socket-options.reuse-port": "socket-reuse-port",
    "socket-options.reuse-address": "socket-reuse-address",
    "discovery-config.endpoints": "discovery-endpoints",
    "discovery-config.token": "discovery-token",
    "experimental-snapshot-catch-up-entries": "experimental-snapshot-catchup-entries",
}

# Keys of etcd's sample file that etcd itself no longer reads.
IGNORED_KEYS = frozenset(
    {
        "proxy",
        "proxy-dial-timeout",
        "proxy-failure-wait",
        "proxy-read-timeout",
        "proxy-refresh-interval",
        "proxy-write-timeout",
    }
)
