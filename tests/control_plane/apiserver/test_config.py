"""The API server's flags: what is refused, in one line that names the flag."""

import argparse
from pathlib import Path

import pytest

from control_plane.apiserver.config import ApiServerConfig, ConfigError, add_flags, from_args


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file.pem"
    path.write_text("")
    return path


def parse(file: Path, *flags: str) -> ApiServerConfig:
    parser = argparse.ArgumentParser()
    add_flags(parser)
    files = ("client-ca", "tls-cert", "tls-private-key", "service-account-signing-key")
    required = ["--etcd-servers=http://127.0.0.1:1", *(f"--{name}-file={file}" for name in files)]
    return from_args(parser.parse_args([*required, *flags]))


def test_defaults_are_upstreams(file: Path) -> None:
    config = parse(file)

    assert (config.secure_port, config.event_ttl_seconds) == (6443, 3600)
    assert config.service_accounts.public_keys == (file,)


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--bind-address=x", "--bind-address 'x' is not an IP address"),
        ("--advertise-address=x", "--advertise-address 'x' is not an IP address"),
        ("--service-cluster-ip-range=10.96.0.5/16", "--service-cluster-ip-range: 10.96.0.5/16 has"),
        ("--service-cluster-ip-range=10.96.0.0/30", "--service-cluster-ip-range 10.96.0.0/30 is"),
        ("--service-node-port-range=1", "--service-node-port-range '1': write FIRST-LAST"),
        ("--event-ttl=-1", "--event-ttl -1: give a number of seconds"),
        ("--etcd-compaction-interval=0", "--etcd-compaction-interval 0.0: give a number"),
        ("--etcd-prefix=x", "--etcd-prefix 'x'"),
        ("--etcd-servers=http://h:port", "--etcd-servers: http://h:port: the port is a number"),
        ("--etcd-servers=http://me:pw@h:1", "--etcd-servers: http://…@h: names and passwords"),
        ("--etcd-cafile=/nowhere", "--etcd-cafile /nowhere: No such file"),
        ("--etcd-certfile=/nowhere", "--etcd-certfile and --etcd-keyfile: give both or neither"),
        ("--kubelet-client-key=/nowhere", "--kubelet-client-certificate and --kubelet-client-key"),
        ("--tls-cert-file=/nowhere", "--tls-cert-file /nowhere: No such file"),
    ],
)
def test_what_is_refused(file: Path, flag: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse(file, flag)

    assert str(error.value).startswith(message)
