"""The flags that do something here, by subject. Names and defaults are etcd's, save where said."""

from __future__ import annotations

from datastore.flags.flag import (
    BOOLEAN,
    DURATION,
    INTEGER,
    TEXT,
    UNSIGNED,
    UNSIGNED32,
    URLS,
    WORDS,
    Flag,
    in_any_case,
    one_of,
)

SERVER = (
    Flag("endpoint", TEXT, "", "database: sqlite:///FILE, postgresql://USER:PASSWORD@HOST/DB or "
         "mysql://USER:PASSWORD@HOST/DB (MariaDB too); without it a SQLite file in "
         "--data-dir (ours: etcd has no such flag)"),
    Flag("endpoint-password-file", TEXT, "", "file with the password of --endpoint, which the list "
         "of processes then does not show (ours)"),
    Flag("endpoint-listen", TEXT, "", "PostgreSQL behind PgBouncer: the database's own address, "
         "for the connection that hears of other servers' commits; without it they are polled for "
         "(ours)"),
    Flag("name", TEXT, "default", "name of this server among those of its store"),
    Flag("data-dir", TEXT, "", "directory of store.db and of generated certificates, made when "
         "it is missing; ${name}.etcd if not given"),
    Flag("config-file", TEXT, "", "YAML file with flag names as keys; every other flag and "
         "variable is then ignored"),
    Flag("listen-client-urls", URLS, "http://localhost:2379", "where clients are served: http://, "
         "https:// with host:port, unix:// or unixs:// with a path; a comma list"),
    Flag("advertise-client-urls", URLS, "", "URLs that clients are told; those of "
         "--listen-client-urls if not given"),
    Flag("initial-advertise-peer-urls", URLS, "http://localhost:2380", "peer URLs that MemberList "
         "tells of this server, if given: nobody uses them"),
    Flag("grpc-front", one_of("auto", "grpcio", "native"), "auto", "which gRPC implementation "
         "serves plaintext TCP; auto: the native one where it is installed (ours)"),
    Flag("initial-cluster", TEXT, "", "members of the cluster as NAME=URL; more than one is "
         "refused on SQLite, which is one server's alone"),
    Flag("version", BOOLEAN, "false", "print the version and exit"),
)  # fmt: skip

LIMITS = (
    Flag("election-timeout", UNSIGNED, "1000", "milliseconds; a lease lives at least one and a "
         "half times as long"),
    Flag("heartbeat-interval", UNSIGNED, "100", "milliseconds in which that is counted"),
    Flag("quota-backend-bytes", INTEGER, "0", "largest size of the store; 0 is 2 GiB, negative "
         "is no quota"),
    Flag("max-txn-ops", UNSIGNED, "128", "most operations in one transaction"),
    Flag("max-request-bytes", UNSIGNED, "1572864", "largest write request"),
    Flag("max-concurrent-streams", UNSIGNED32, "4294967295", "most open calls of one "
         "connection; 0 is no limit"),
    Flag("watch-progress-notify-interval", DURATION, "10m", "period of a watch's progress notices"),
    Flag("grpc-keepalive-interval", DURATION, "2h", "period of pings to clients; 0 is none"),
    Flag("grpc-keepalive-timeout", DURATION, "20s", "how long a pinged client may be silent"),
    Flag("socket-reuse-port", BOOLEAN, "false", "let other processes listen on the same port"),
    Flag("socket-reuse-address", BOOLEAN, "false", "listen on an address in TIME_WAIT: always so "
         "here"),
    Flag("auto-compaction-mode", one_of("periodic", "revision"), "periodic", "what "
         "--auto-compaction-retention counts: time or revisions"),
    Flag("auto-compaction-retention", TEXT, "0", "history to keep: a duration (a bare number is "
         "hours), or a number of revisions; 0 is all"),
)  # fmt: skip

SECURITY = (
    Flag("cert-file", TEXT, "", "certificate shown to clients; read again when it changes"),
    Flag("key-file", TEXT, "", "its key"),
    Flag("trusted-ca-file", TEXT, "", "authorities of client certificates; clients must then show "
         "one"),
    Flag("client-cert-auth", BOOLEAN, "false", "clients must show a certificate; without "
         "--trusted-ca-file one of the machine's authorities"),
    Flag("client-crl-file", TEXT, "", "revoked client certificates (DER or PEM); read again when "
         "it changes"),
    Flag("client-cert-allowed-hostname", WORDS, "", "names of which a client certificate must have "
         "one"),
    Flag("client-transport-security.allowed-cn", WORDS, "", "common names of which a client "
         "certificate must have one; like etcd's it can be set in a configuration file only"),
    Flag("auto-tls", BOOLEAN, "false", "make a self-signed certificate in --data-dir"),
    Flag("self-signed-cert-validity", UNSIGNED, "1", "its validity in years"),
    Flag("cipher-suites", WORDS, "", "TLS 1.2 cipher suites, by Go's names"),
    Flag("tls-min-version", one_of("", "TLS1.2", "TLS1.3"), "TLS1.2", "least TLS version"),
    Flag("tls-max-version", one_of("", "TLS1.2", "TLS1.3"), "", "greatest TLS version; TLS1.2 is "
         "refused: gRPC cannot be held to it"),
    Flag("cors", WORDS, "*", "origins that browsers may call from"),
    Flag("host-whitelist", WORDS, "*", "host names that cleartext HTTP requests may be for"),
    Flag("auth-token", TEXT, "simple", "kind of token: simple, or jwt with its options"),
    Flag("auth-token-ttl", UNSIGNED, "300", "seconds that a simple token lives"),
    Flag("bcrypt-cost", UNSIGNED, "10", "cost of hashing a password, 4 to 31"),
)  # fmt: skip

HTTP = (
    Flag("listen-client-http-urls", URLS, "", "where the JSON gateway, health, version and "
         "metrics are served"),
    Flag("listen-metrics-urls", URLS, "", "where health and metrics alone are served"),
    Flag("metrics", one_of("basic", "extensive"), "basic", "extensive: also the latency of calls"),
    Flag("enable-grpc-gateway", BOOLEAN, "true", "serve the JSON gateway"),
)  # fmt: skip

LEVELS = in_any_case(one_of("debug", "info", "warn", "error", "panic", "fatal"))
LOG = (
    Flag("log-level", LEVELS, "info", "least level that is logged"),
    Flag("log-format", one_of("json", "console"), "console", "json: an object a line (etcd's "
         "default is json)"),
    Flag("log-outputs", WORDS, "default", "stdout, stderr, files; default is stderr"),
    Flag("logger", one_of("zap"), "zap", "etcd's name for structured logging"),
)  # fmt: skip
