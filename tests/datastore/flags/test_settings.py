"""Flags, variables and the configuration file become one checked value a flag."""

from pathlib import Path

import pytest

from datastore.errors import ConfigError
from datastore.flags.settings import Settings, read
from datastore.flags.table import FLAGS

KUBEADM = [
    "--advertise-client-urls=https://10.0.0.5:2379",
    "--cert-file=/etc/kubernetes/pki/etcd/server.crt",
    "--client-cert-auth=true",
    "--data-dir=/var/lib/etcd",
    "--feature-gates=InitialCorruptCheck=true",
    "--initial-advertise-peer-urls=https://10.0.0.5:2380",
    "--initial-cluster=node=https://10.0.0.5:2380",
    "--key-file=/etc/kubernetes/pki/etcd/server.key",
    "--listen-client-urls=https://127.0.0.1:2379,https://10.0.0.5:2379",
    "--listen-metrics-urls=http://127.0.0.1:2381",
    "--listen-peer-urls=https://10.0.0.5:2380",
    "--name=node",
    "--peer-cert-file=/etc/kubernetes/pki/etcd/peer.crt",
    "--peer-client-cert-auth=true",
    "--peer-key-file=/etc/kubernetes/pki/etcd/peer.key",
    "--peer-trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt",
    "--snapshot-count=10000",
    "--trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt",
    "--watch-progress-notify-interval=5s",
]


def given(*words: str, **environment: str) -> Settings:
    return read(words, environment)


def refusal(*words: str, **environment: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(words, environment)
    return str(caught.value)


@pytest.mark.parametrize(
    "words",
    [
        ["--max-txn-ops=7"],
        ["--max-txn-ops", "7"],
        ["-max-txn-ops=7"],
        ["-max-txn-ops", "7"],
        ["--max-txn-ops=0x7"],
        ["--max-txn-ops=1", "--max-txn-ops=7"],
    ],
)
def test_go_takes_a_value_in_all_these_ways(words: list[str]) -> None:
    assert given(*words)["max-txn-ops"] == 7


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("--client-cert-auth", True),
        ("-client-cert-auth", True),
        *((f"--client-cert-auth={text}", True) for text in ["1", "t", "T", "true", "TRUE", "True"]),
        *(
            (f"--client-cert-auth={text}", False)
            for text in ["0", "f", "F", "false", "FALSE", "False"]
        ),
    ],
)
def test_a_boolean_needs_no_value(word: str, value: bool) -> None:
    assert given(word, "--name=x")["client-cert-auth"] is value


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5s", 5), ("1h30m", 5400), ("1.5s", 1.5), ("100ms", 0.1), ("2m0.5s", 120.5), ("0", 0)],
)
def test_durations_are_gos(text: str, seconds: float) -> None:
    found = given(f"--watch-progress-notify-interval={text}")
    assert found["watch-progress-notify-interval"] == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--no-such-flag"], "--no-such-flag"),
        (["--no-such-flag=secret"], "--no-such-flag"),
        (["---name=x"], "---name"),
        (["--client-cert-auth", "true"], "'true'"),
        (["serve"], "'serve'"),
        (["--name"], "--name"),
        (["--client-cert-auth=yes"], "--client-cert-auth 'yes'"),
        (["--max-txn-ops=many"], "--max-txn-ops 'many'"),
        (["--max-txn-ops=-1"], "--max-txn-ops '-1'"),
        (["--quota-backend-bytes=99999999999999999999"], "--quota-backend-bytes"),
        (["--watch-progress-notify-interval=5"], "--watch-progress-notify-interval '5'"),
        (["--grpc-keepalive-interval=" + "9" * 400 + "h"], "292 years"),
        (["--grpc-keepalive-interval=2562048h"], "--grpc-keepalive-interval '2562048h'"),
        (["--log-level=loud"], "--log-level 'loud'"),
        (["--snapshot-count=x"], "--snapshot-count 'x'"),
        (["--enable-log-rotation"], "--enable-log-rotation is not supported"),
        (["--discovery=https://x/y"], "--discovery is not supported"),
        (["--enable-distributed-tracing=true"], "--enable-distributed-tracing"),
        (["--experimental-enable-distributed-tracing"], "--enable-distributed-tracing"),
        (["--client-transport-security.allowed-cn=x"], "--client-transport-security.allowed-cn"),
        (
            [
                "--experimental-watch-progress-notify-interval=5s",
                "--watch-progress-notify-interval=5s",
            ],
            "at the same time",
        ),
    ],
)
def test_what_is_wrong_is_named(words: list[str], named: str) -> None:
    said = refusal(*words)

    assert named in said
    assert "secret" not in said


def test_a_flag_that_is_refused_may_have_its_default() -> None:
    assert given("--enable-log-rotation=false")["enable-log-rotation"] is False


def test_a_variable_is_a_flag() -> None:
    found = given(ETCD_MAX_TXN_OPS="9", ETCD_CLIENT_CERT_AUTH="t", ETCD_NAME="", ETCD_FOO="x")

    assert (found["max-txn-ops"], found["client-cert-auth"], found["name"]) == (9, True, "default")
    assert ("warn", "unrecognized environment variable=%s", "ETCD_FOO") in found.notes


def test_a_wrong_variable_is_named() -> None:
    assert "ETCD_MAX_TXN_OPS 'x'" in refusal(ETCD_MAX_TXN_OPS="x")


def test_a_flag_and_its_variable_conflict() -> None:
    said = refusal("--name=a", ETCD_NAME="a")

    assert "conflicting environment variable ETCD_NAME is shadowed by corresponding" in said


def test_the_old_name_of_a_flag_counts_and_is_said() -> None:
    found = given("--experimental-watch-progress-notify-interval=5s")

    assert found["watch-progress-notify-interval"] == 5
    assert (
        "warn",
        "deprecated flag=%s",
        "--experimental-watch-progress-notify-interval",
    ) in found.notes


def test_kubeadms_command_line_is_understood() -> None:
    found = given(*KUBEADM)

    assert found["listen-client-urls"] == ("https://10.0.0.5:2379", "https://127.0.0.1:2379")
    (note,) = found.notes
    assert note[1] == "accepted without effect flags=%s"
    assert "--peer-cert-file" in note[2]
    assert "--cert-file," not in note[2]


def test_an_older_kubeadms_command_line_is_understood() -> None:
    old = [
        *(word for word in KUBEADM if "feature-gates" not in word and "watch-" not in word),
        "--experimental-initial-corrupt-check=true",
        "--experimental-watch-progress-notify-interval=5s",
    ]

    assert given(*old)["watch-progress-notify-interval"] == 5


def file(tmp_path: Path, text: str) -> str:
    path = tmp_path / "etcd.yml"
    path.write_text(text)
    return f"--config-file={path}"


def test_a_file_has_flag_names_as_keys(tmp_path: Path) -> None:
    found = given(
        file(
            tmp_path,
            """
            name: infra1
            max-txn-ops: 7
            watch-progress-notify-interval: 5s
            grpc-keepalive-timeout: 2000000000
            listen-client-urls: http://127.0.0.1:1,http://127.0.0.1:2
            log-outputs: [stderr, /tmp/x.log]
            cors:
            initial-cluster:
            proxy: 'off'
            client-transport-security:
              cert-file: server.crt
              key-file: server.key
              client-cert-auth: true
              trusted-ca-file:
              allowed-cn: [a, b]
            peer-transport-security:
              cert-file: peer.crt
            socket-options:
              reuse-port: true
            """,
        )
    )

    assert found["name"] == "infra1"
    assert found["max-txn-ops"] == 7
    assert found["watch-progress-notify-interval"] == 5
    assert found["grpc-keepalive-timeout"] == 2
    assert found["listen-client-urls"] == ("http://127.0.0.1:1", "http://127.0.0.1:2")
    assert found["log-outputs"] == ("stderr", "/tmp/x.log")
    assert (found["cert-file"], found["client-cert-auth"]) == ("server.crt", True)
    assert found["trusted-ca-file"] == ""
    assert found["client-transport-security.allowed-cn"] == ("a", "b")
    assert found["socket-reuse-port"] is True


def test_a_file_stands_alone(tmp_path: Path) -> None:
    found = given(file(tmp_path, "name: file"), "--name=flag", ETCD_NAME="variable")
    assert found["name"] == "file"

    found = read([], {"ETCD_CONFIG_FILE": str(tmp_path / "etcd.yml")})
    assert found["name"] == "file"


def test_what_only_we_have_is_not_ignored_beside_a_file(tmp_path: Path) -> None:
    said = refusal(file(tmp_path, "name: x"), "--endpoint=sqlite:///x.db")

    assert "--endpoint" in said
    assert "etcd.yml" in said


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("nmae: x", "nmae"),
        ("max-txn-ops: many", "max-txn-ops"),
        ("client-transport-security: {no-such: x}", "client-transport-security.no-such"),
        ("client-transport-security: text", "client-transport-security"),
        ("[1, 2]", "flag: value"),
        ("a: b: c", "not YAML"),
        ("a: " + "[" * 2000, "too much in one another"),
        ("client-cert-auth: 3", "client-cert-auth"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, text: str, named: str) -> None:
    said = refusal(file(tmp_path, text))

    assert named in said
    assert "etcd.yml" in said
    assert len(said.splitlines()) == 1


def test_a_file_that_is_not_there_is_named() -> None:
    assert "/no/such.yml: No such file" in refusal("--config-file=/no/such.yml")


def test_every_default_is_a_value_of_its_kind() -> None:
    assert set(read([], {}).values) == set(FLAGS)
