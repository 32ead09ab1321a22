"""What flags mean together: defaults, and combinations that could not be served as asked."""

from pathlib import Path

import pytest

from datastore.config import AutoCompaction, DatastoreConfig, from_settings
from datastore.errors import ConfigError
from datastore.flags.settings import read

CERTIFICATE = ("--cert-file=server.crt", "--key-file=server.key")
CLEAR = "certificate and key do not count for a URL without TLS url="
UNASKED = "clients are not asked for certificates at a URL without TLS url="
SECURE = "--listen-client-urls=https://127.0.0.1:2379"


def config(*words: str) -> DatastoreConfig:
    return from_settings(read(words, {}))


def test_nothing_given_is_etcds_default() -> None:
    found = config()

    assert found.database == f"sqlite:///{Path.cwd()}/default.etcd/store.db"
    assert found.advertised == ("http://localhost:2379",)
    assert found.quota_backend_bytes == 2 << 30
    assert (found.auto_compaction.retention, found.tls.given) == (0, False)


def test_the_data_directory_has_the_servers_name() -> None:
    assert config("--name=infra0").database.endswith("/infra0.etcd/store.db")
    assert config("--name=a", "--data-dir=/var/lib/etcd").database == (
        "sqlite:////var/lib/etcd/store.db"
    )


def test_an_endpoint_takes_the_place_of_the_data_directory() -> None:
    assert config("--endpoint=postgresql://h/d", "--data-dir=x").database == "postgresql://h/d"


@pytest.mark.parametrize(
    ("mode", "text", "retention"),
    [
        ("periodic", "0", 0),
        ("periodic", "2", 7200),
        ("periodic", "5m", 300),
        ("revision", "1000", 1000),
    ],
)
def test_auto_compaction_counts_hours_or_revisions(mode: str, text: str, retention: float) -> None:
    found = config(f"--auto-compaction-mode={mode}", f"--auto-compaction-retention={text}")

    assert found.auto_compaction == AutoCompaction(mode, retention)


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--name="], "--name"),
        (["--listen-client-urls="], "--listen-client-urls"),
        (["--listen-client-urls=unix://"], "unix:///path"),
        (["--listen-client-urls=http://127.0.0.1:2379/path"], "http://host:port"),
        (["--listen-client-urls=http://127.0.0.1:port"], "http://host:port"),
        (["--listen-client-urls=127.0.0.1:2379"], "http://host:port"),
        (["--listen-client-urls=https://127.0.0.1:2379"], "--cert-file, --key-file"),
        (["--listen-metrics-urls=https://127.0.0.1:2381"], "--cert-file, --key-file"),
        (["--cert-file=server.crt"], "--key-file"),
        ([*CERTIFICATE, "--cipher-suites=TLS_RSA_WITH_RC4_128_SHA"], "TLS_RSA_WITH_RC4_128_SHA"),
        ([*CERTIFICATE, "--tls-max-version=TLS1.2"], "--tls-max-version TLS1.2 is not supported"),
        (
            ["--tls-min-version=TLS1.3", "--cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"],
            "only TLS1.3",
        ),
        (["--auto-tls", "--self-signed-cert-validity=0"], "--self-signed-cert-validity"),
        (
            ["--client-cert-auth", "--trusted-ca-file=ca.crt", *CERTIFICATE],
            "--client-cert-auth, --trusted-ca-file: no URL for clients speaks TLS",
        ),
        (
            ["--client-cert-auth", *CERTIFICATE, "--listen-metrics-urls=https://127.0.0.1:2381"],
            "--client-cert-auth: no URL for clients speaks TLS",
        ),
        (["--trusted-ca-file=ca.crt", "--client-crl-file=crl"], "--client-crl-file: no URL"),
        ([*CERTIFICATE, SECURE, "--client-crl-file=crl"], "--client-crl-file: clients are not"),
        ([*CERTIFICATE, SECURE, "--client-cert-allowed-hostname=x"], "--trusted-ca-file or"),
        (["--auto-tls", "--self-signed-cert-validity=9000"], "from 1 to 292 years"),
        (["--auth-token-ttl=9223372036854775807"], "--auth-token-ttl must be at most 9223372036"),
        (["--listen-client-urls=http://münchen:2379"], "http://host:port"),
        (["--listen-client-urls=http://a b:2379"], "http://host:port"),
        (["--log-outputs=systemd/journal"], "systemd/journal"),
        (["--bcrypt-cost=3"], "--bcrypt-cost"),
        (["--max-txn-ops=0"], "--max-txn-ops 0: give a number from 1 on"),
        (["--max-request-bytes=0"], "--max-request-bytes 0: give a number from 1 on"),
        (["--grpc-keepalive-interval=-1s"], "--grpc-keepalive-interval"),
        (["--max-concurrent-streams=4294967296"], "--max-concurrent-streams"),
        (["--auto-compaction-mode=revision", "--auto-compaction-retention=5m"], "'5m'"),
        (["--auto-compaction-retention=-5m"], "'-5m'"),
        (["--election-timeout=60000"], "--election-timeout"),
        (["--initial-cluster=a=http://x:1,b=http://y:1"], "names 2 members"),
    ],
)
def test_what_could_not_be_served_as_asked_is_refused(flags: list[str], named: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(*flags)

    assert named in str(caught.value)


@pytest.mark.parametrize("level", ["WARN", "Warn", "warn"])
def test_levels_of_the_log_are_understood_in_capitals(level: str) -> None:
    assert config(f"--log-level={level}").log.level == "warn"


@pytest.mark.parametrize(
    ("heartbeat", "election", "seconds"), [(100, 1000, 2), (100, 5000, 8), (1000, 5500, 7)]
)
def test_raft_timing_is_the_least_life_of_a_lease(
    heartbeat: int, election: int, seconds: int
) -> None:
    flags = (f"--heartbeat-interval={heartbeat}", f"--election-timeout={election}")

    assert config(*flags).least_lease_ttl == seconds


def test_no_streams_at_most_is_no_limit() -> None:
    assert config("--max-concurrent-streams=0").grpc.max_streams == (1 << 32) - 1


def test_members_may_share_a_database() -> None:
    flags = ["--initial-cluster=a=http://x:1,b=http://y:1", "--endpoint=postgresql://h/d"]

    assert config(*flags).database == "postgresql://h/d"
    assert config("--initial-cluster=a=http://x:1,a=http://y:1").database.startswith("sqlite")


def test_a_given_certificate_comes_before_a_made_one() -> None:
    assert config(*CERTIFICATE, "--auto-tls").tls.auto is False


def test_an_authority_alone_asks_clients_for_certificates() -> None:
    assert config(*CERTIFICATE, SECURE, "--trusted-ca-file=ca.crt").tls.asks_clients
    assert not config(*CERTIFICATE).tls.asks_clients


def test_what_does_not_count_for_a_url_is_said() -> None:
    beside = f"{SECURE},http://127.0.0.1:2378,unix:///s"
    asking = config(*CERTIFICATE, beside, "--client-cert-auth")

    assert warnings(config(*CERTIFICATE)) == [f"{CLEAR}http://localhost:2379"]
    assert warnings(asking) == [
        *(f"{CLEAR}{url}" for url in ("http://127.0.0.1:2378", "unix:///s")),
        *(f"{UNASKED}{url}" for url in ("http://127.0.0.1:2378", "unix:///s")),
    ]
    assert warnings(config("--tls-min-version=TLS1.3")) == [
        "accepted without effect, no URL speaks TLS flags=--tls-min-version"
    ]


def test_metrics_in_the_clear_are_no_news() -> None:
    metrics = "--listen-metrics-urls=http://127.0.0.1:2381"

    assert warnings(config(*CERTIFICATE, SECURE, "--client-cert-auth", metrics)) == []


def warnings(found: DatastoreConfig) -> list[str]:
    return [message % value for level, message, value in found.all_notes if level == "warn"]
