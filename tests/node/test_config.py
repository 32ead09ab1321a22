"""The kubelet's flags: what they become, and what is refused with one clear line."""

import argparse
import asyncio
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from node.kubelet.config import ConfigError, KubeletConfig, add_flags, from_args
from node.kubelet.server import run
from tests.node.stage import kubelet_config
from tests.support.apiserver import NODE, cluster_pki


@pytest.fixture
def files(tmp_path: Path) -> KubeletConfig:
    """A configuration whose files all exist; its API server does not."""
    pki = cluster_pki(tmp_path, "https://127.0.0.1:1")
    pair = pki.pair(f"kubelet-{NODE}")
    return kubelet_config(
        tmp_path,
        kubeconfig=pki.kubeconfig(f"kubelet-{NODE}"),
        tls_cert_file=pair.certificate,
        tls_private_key_file=pair.key,
        client_ca_file=pki.pair("ca").certificate,
        container_runtime="simulated",
    )


def parse(files: KubeletConfig, *flags: str) -> KubeletConfig:
    parser = argparse.ArgumentParser()
    add_flags(parser)
    required = [
        f"--kubeconfig={files.kubeconfig}",
        f"--tls-cert-file={files.tls_cert_file}",
        f"--tls-private-key-file={files.tls_private_key_file}",
        f"--client-ca-file={files.client_ca_file}",
    ]
    return from_args(parser.parse_args([*required, *flags]))


def test_defaults(files: KubeletConfig) -> None:
    config = parse(files)
    assert config.node_name == socket.gethostname().lower()
    assert (config.port, config.container_runtime, config.max_pods) == (10250, "auto", 110)
    assert config.root_dir.is_absolute()


def test_flags(files: KubeletConfig) -> None:
    config = parse(
        files,
        "--hostname-override=n7",
        "--node-labels=zone=a,disk=ssd",
        "--cluster-dns=10.96.0.10,10.96.0.11",
    )
    assert config.node_name == "n7"
    assert config.node_labels == {"zone": "a", "disk": "ssd"}
    assert config.cluster_dns == ("10.96.0.10", "10.96.0.11")


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--port=99999", "--port: 99999 is not a port"),
        ("--node-ip=here", "--node-ip: 'here' is not an IP address"),
        ("--address=x", "--address: 'x' is not an IP address"),
        ("--docker-endpoint=ftp://x", "--docker-endpoint: 'ftp://x' is neither unix"),
        ("--pod-cidr=10.0.0.1/24", "--pod-cidr: '10.0.0.1/24' is not a network"),
        ("--cluster-dns=dns", "--cluster-dns: 'dns' is not an IP address"),
        ("--node-labels=zone", "--node-labels: 'zone' is not key=value"),
        ("--node-labels=a b=c", "--node-labels: a b=c: name part must consist of"),
        ("--hostname-override=My_node", "--hostname-override: node name 'My_node': a lowercase"),
        ("--max-pods=0", "--max-pods: 0: give at least 1"),
        ("--root-dir=/dev/null", "--root-dir: /dev/null: File exists: give another"),
        ("--root-dir=/dev/null/x", "--root-dir: /dev/null/x: Not a directory: give another"),
        ("--kubeconfig=/nowhere", "--kubeconfig: cannot read /nowhere"),
        ("--client-ca-file=/nowhere", "--client-ca-file: cannot read /nowhere"),
    ],
)
def test_what_is_refused(files: KubeletConfig, flag: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse(files, flag)
    assert str(error.value).startswith(message)


async def test_no_engine_where_docker_is_asked_for(files: KubeletConfig, tmp_path: Path) -> None:
    endpoint = f"unix://{tmp_path}/none.sock"
    config = replace(files, container_runtime="docker", docker_endpoint=endpoint)
    with pytest.raises(ConfigError, match="use --container-runtime simulated"):
        await run(config)


async def test_a_port_in_use(files: KubeletConfig) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = replace(files, address="127.0.0.1", port=port)
        with pytest.raises(ConfigError, match=rf"cannot listen on 127\.0\.0\.1:{port}: Address"):
            await asyncio.wait_for(run(config), 20)


async def test_a_key_that_is_none(files: KubeletConfig, tmp_path: Path) -> None:
    junk = tmp_path / "junk"
    junk.write_text("not a key")
    with pytest.raises(ConfigError, match=f"cannot use .*{junk}.* for TLS"):
        await run(replace(files, tls_private_key_file=junk, port=0))
