"""Everything a kubelet can be told: one frozen dataclass, its flags, and what is refused about
them.

Called by the command line (`add_flags`, `from_args`) and by the all-in-one process, which makes a
KubeletConfig itself. Flag names are upstream's where upstream has the flag.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from control_plane.api.names import (
    dns1123_subdomain_errors,
    label_value_errors,
    qualified_name_errors,
)
from control_plane.client.flags import boolean, seconds
from node.kubelet.runtimes import RUNTIME_CHOICES

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

AUTHORIZATION_MODE = "Webhook"
DEFAULT_ENDPOINT = "unix:///var/run/docker.sock"


class ConfigError(Exception):
    """The kubelet cannot run as told; the text is one line that names the thing and the remedy."""


@dataclass(frozen=True, slots=True)
class KubeletConfig:
    """How one kubelet runs. Paths are absolute after `from_args`; node_ip "" means find it.

    With `bootstrap_kubeconfig` a kubeconfig that is missing is made; `makes_serving_certificate`
    and `makes_client_ca` say that these files, in `cert_dir`, are made too.
    """

    kubeconfig: Path
    node_name: str
    root_dir: Path
    tls_cert_file: Path
    tls_private_key_file: Path
    client_ca_file: Path
    node_ip: str = ""
    address: str = "0.0.0.0"
    port: int = 10250
    container_runtime: str = "auto"
    docker_endpoint: str = DEFAULT_ENDPOINT
    pod_network: str = "tapir"
    pod_cidr: str = ""
    pod_infra_container_image: str = ""
    cluster_dns: tuple[str, ...] = ()
    cluster_domain: str = "cluster.local"
    resolv_conf: Path = Path("/etc/resolv.conf")
    max_pods: int = 110
    node_labels: dict[str, str] = field(default_factory=dict)
    sync_frequency_seconds: float = 60.0
    status_update_seconds: float = 10.0
    status_report_seconds: float = 300.0
    lease_seconds: int = 40
    bootstrap_kubeconfig: Path | None = None
    cert_dir: Path = Path("pki")
    rotate_certificates: bool = False
    rotate_server_certificates: bool = False
    makes_serving_certificate: bool = False
    makes_client_ca: bool = False
    anonymous_auth: bool = False
    authentication_token_webhook: bool = True
    token_cache_seconds: float = 120.0
    allowed_cache_seconds: float = 300.0
    denied_cache_seconds: float = 30.0


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the kubelet's flags."""
    add = parser.add_argument
    add("--kubeconfig", type=Path, required=True, help="how to reach the API server")
    add("--hostname-override", default="", help="the node's name (the host name)")
    add("--node-ip", default="", help="the node's address (that of the default route)")
    add("--root-dir", type=Path, default=Path("data/kubelet"), help="where pods' files are kept")
    add("--address", default="0.0.0.0", help="address to serve on (0.0.0.0)")
    add("--port", type=int, default=10250, help="port to serve on (10250)")
    add("--tls-cert-file", type=Path, help="certificate to serve with (one signed by itself)")
    add("--tls-private-key-file", type=Path, help="key of that certificate")
    add("--client-ca-file", type=Path, help="who signs clients' certificates (the cluster's CA)")
    _add_access_flags(parser)
    add(
        "--bootstrap-kubeconfig",
        type=Path,
        help="how to get a first client certificate where --kubeconfig has none that is good",
    )
    add("--cert-dir", type=Path, help="where certificates are kept that are made here (ROOT/pki)")
    for flag, text in (
        ("--rotate-certificates", "renew the client certificate before it ends"),
        ("--rotate-server-certificates", "have the cluster sign the serving certificate"),
    ):
        add(flag, nargs="?", type=boolean, const=True, default=False, help=text)
    add(
        "--container-runtime",
        choices=RUNTIME_CHOICES,
        default="auto",
        help="docker, simulated (pods run without containers), or auto: docker where it answers",
    )
    add(
        "--docker-endpoint",
        default=os.environ.get("DOCKER_HOST") or DEFAULT_ENDPOINT,
        help=f"the Docker Engine, unix:// or tcp:// ({DEFAULT_ENDPOINT})",
    )
    add("--pod-network", default="tapir", help="the engine's bridge network for pods (tapir)")
    add("--pod-cidr", default="", help="subnet of that network, if it must be created")
    add("--pod-infra-container-image", default="", help="sandbox image (one made by the kubelet)")
    add("--cluster-dns", default="", help="comma-separated addresses of the cluster's DNS")
    add("--cluster-domain", default="cluster.local", help="the cluster's domain (cluster.local)")
    add("--resolv-conf", type=Path, default=Path("/etc/resolv.conf"), help="the node's resolver")
    add("--max-pods", type=int, default=110, help="how many pods the node takes (110)")
    add("--node-labels", default="", help="comma-separated key=value labels of the node")


def _add_access_flags(parser: argparse.ArgumentParser) -> None:
    """Add who may call the kubelet; the defaults are those of a KubeletConfiguration."""
    for flag, default, text in (
        ("--anonymous-auth", False, "callers without credentials are system:anonymous (false)"),
        ("--authentication-token-webhook", True, "believe tokens, by a TokenReview (true)"),
    ):
        parser.add_argument(flag, nargs="?", type=boolean, const=True, default=default, help=text)
    parser.add_argument(
        "--authorization-mode",
        default=AUTHORIZATION_MODE,
        help="Webhook, which is a SubjectAccessReview at the API server",
    )
    for flag, duration, text in (
        ("--authentication-token-webhook-cache-ttl", "2m", "how long a token is believed (2m)"),
        ("--authorization-webhook-cache-authorized-ttl", "5m", "as long is yes good (5m)"),
        ("--authorization-webhook-cache-unauthorized-ttl", "30s", "as long is no good (30s)"),
    ):
        parser.add_argument(flag, type=seconds, default=seconds(duration), help=text)


def from_args(flags: argparse.Namespace) -> KubeletConfig:
    """Return the configuration; raises ConfigError naming the flag that is wrong."""
    if bool(flags.tls_cert_file) != bool(flags.tls_private_key_file):
        raise ConfigError("--tls-cert-file and --tls-private-key-file go together: give both")
    if flags.authorization_mode != AUTHORIZATION_MODE:
        raise ConfigError(
            f"--authorization-mode: {flags.authorization_mode!r} is not supported: "
            f"use {AUTHORIZATION_MODE}"
        )
    if flags.tls_cert_file and flags.rotate_server_certificates:
        raise ConfigError("--rotate-server-certificates and --tls-cert-file exclude each other")
    cert_dir = (flags.cert_dir or flags.root_dir / "pki").absolute()
    config = KubeletConfig(
        kubeconfig=flags.kubeconfig.absolute(),
        node_name=flags.hostname_override or socket.gethostname().lower(),
        node_ip=flags.node_ip,
        root_dir=flags.root_dir.absolute(),
        address=flags.address,
        port=flags.port,
        tls_cert_file=(flags.tls_cert_file or cert_dir / "kubelet.crt").absolute(),
        tls_private_key_file=(flags.tls_private_key_file or cert_dir / "kubelet.key").absolute(),
        client_ca_file=(flags.client_ca_file or cert_dir / "client-ca.crt").absolute(),
        container_runtime=flags.container_runtime,
        docker_endpoint=flags.docker_endpoint,
        pod_network=flags.pod_network,
        pod_cidr=flags.pod_cidr,
        pod_infra_container_image=flags.pod_infra_container_image,
        cluster_dns=tuple(filter(None, flags.cluster_dns.split(","))),
        cluster_domain=flags.cluster_domain,
        resolv_conf=flags.resolv_conf,
        max_pods=flags.max_pods,
        node_labels=_labels(flags.node_labels),
        bootstrap_kubeconfig=flags.bootstrap_kubeconfig and flags.bootstrap_kubeconfig.absolute(),
        cert_dir=cert_dir,
        rotate_certificates=flags.rotate_certificates,
        rotate_server_certificates=flags.rotate_server_certificates,
        makes_serving_certificate=flags.tls_cert_file is None,
        makes_client_ca=flags.client_ca_file is None,
        anonymous_auth=flags.anonymous_auth,
        authentication_token_webhook=flags.authentication_token_webhook,
        token_cache_seconds=flags.authentication_token_webhook_cache_ttl,
        allowed_cache_seconds=flags.authorization_webhook_cache_authorized_ttl,
        denied_cache_seconds=flags.authorization_webhook_cache_unauthorized_ttl,
    )
    check(config)
    return config


def check(config: KubeletConfig) -> None:
    """Raise ConfigError for what can be seen to be wrong before anything is started."""
    for flag, path in _given_files(config):
        if not os.access(path, os.R_OK):
            raise ConfigError(f"{flag}: cannot read {path}")
    if not 0 <= config.port <= 65535:
        raise ConfigError(f"--port: {config.port} is not a port (0 to 65535)")
    if urlsplit(config.docker_endpoint).scheme not in ("unix", "tcp", "http"):
        raise ConfigError(
            f"--docker-endpoint: {config.docker_endpoint!r} is neither unix:///path nor tcp://host:port"
        )
    if errors := dns1123_subdomain_errors(config.node_name):
        raise ConfigError(f"--hostname-override: node name {config.node_name!r}: {errors[0]}")
    if config.max_pods < 1:
        raise ConfigError(f"--max-pods: {config.max_pods}: give at least 1")
    for key, value in config.node_labels.items():
        if errors := qualified_name_errors(key) + label_value_errors(value):
            raise ConfigError(f"--node-labels: {key}={value}: {errors[0]}")
    _check_addresses(config)
    _check_root(config.root_dir)


def _given_files(config: KubeletConfig) -> Iterator[tuple[str, Path]]:
    """Yield the files that are not made here, by their flags."""
    if config.bootstrap_kubeconfig is None:
        yield "--kubeconfig", config.kubeconfig
    elif not os.access(config.kubeconfig, os.R_OK):
        yield "--bootstrap-kubeconfig", config.bootstrap_kubeconfig
    if not config.makes_serving_certificate:
        yield "--tls-cert-file", config.tls_cert_file
        yield "--tls-private-key-file", config.tls_private_key_file
    if not config.makes_client_ca:
        yield "--client-ca-file", config.client_ca_file


def _check_root(root: Path) -> None:
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--root-dir: {root}: {error.strerror}: give another") from error
    if not os.access(root, os.W_OK | os.X_OK):
        raise ConfigError(f"--root-dir: {root} is not writable: give another")


def _check_addresses(config: KubeletConfig) -> None:
    for flag, value in (("--node-ip", config.node_ip), ("--address", config.address)):
        try:
            _ = value and ipaddress.ip_address(value)
        except ValueError as error:
            raise ConfigError(f"{flag}: {value!r} is not an IP address") from error
    for server in config.cluster_dns:
        try:
            ipaddress.ip_address(server)
        except ValueError as error:
            raise ConfigError(f"--cluster-dns: {server!r} is not an IP address") from error
    try:
        _ = config.pod_cidr and ipaddress.ip_network(config.pod_cidr)
    except ValueError as error:
        raise ConfigError(
            f"--pod-cidr: {config.pod_cidr!r} is not a network such as 10.244.0.0/24"
        ) from error


def _labels(text: str) -> dict[str, str]:
    labels = {}
    for pair in filter(None, text.split(",")):
        key, separator, value = pair.partition("=")
        if not key or not separator:
            raise ConfigError(f"--node-labels: {pair!r} is not key=value")
        labels[key] = value
    return labels
