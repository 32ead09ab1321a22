"""What `tapir up` can be told."""

import argparse
import ipaddress
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

NODE_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?")

# What goes on to a component as it is: the names that users of k3s know.
EXTRA_FLAGS: Mapping[str, str] = {
    "apiserver": "--kube-apiserver-arg",
    "scheduler": "--kube-scheduler-arg",
    "controller-manager": "--kube-controller-manager-arg",
    "kubelet": "--kubelet-arg",
}
ENGINE_SCHEMES = ("unix", "tcp", "http")


class ConfigError(Exception):
    """Something that `tapir up` needs cannot be used; the text names it and the remedy."""


@dataclass(frozen=True, slots=True)
class UpConfig:
    """One cluster on this machine.

    Exactly one of `datastore` (a database URL, served by a child process) and `etcd_servers`
    (comma-separated endpoints of a store that runs already) is not empty. The three files are what
    the API server needs where that store speaks TLS, "" for none. `extra_flags` are further ones of
    components, by their names.
    """

    data_dir: Path
    datastore: str
    datastore_password_file: str
    etcd_servers: str
    etcd_cafile: str
    etcd_certfile: str
    etcd_keyfile: str
    bind_address: str
    secure_port: int
    kubelet_port: int
    node_name: str
    node_ip: str
    container_runtime: str
    docker_endpoint: str
    log_level: str
    extra_flags: Mapping[str, tuple[str, ...]]


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `tapir up`."""
    add = parser.add_argument
    add("--data-dir", type=Path, default=Path("data"), help="where the cluster lives (data)")
    store = parser.add_mutually_exclusive_group()
    store.add_argument(
        "--datastore",
        default="",
        metavar="URL",
        help="sqlite:///FILE, postgresql://USER@HOST/DB or mysql://USER@HOST/DB "
        "(sqlite in the data directory)",
    )
    store.add_argument(
        "--etcd-servers",
        default="",
        metavar="URLS",
        help="use this running etcd or `tapir datastore` instead of an embedded datastore",
    )
    add(
        "--datastore-password-file",
        default="",
        metavar="FILE",
        help="file with the password of --datastore, which no list of processes then shows",
    )
    add("--etcd-cafile", default="", help="CA that signed the certificate of --etcd-servers")
    add("--etcd-certfile", default="", help="client certificate for --etcd-servers")
    add("--etcd-keyfile", default="", help="its key")
    add("--bind-address", default="0.0.0.0", help="where the API server listens (0.0.0.0)")
    add("--secure-port", type=int, default=6443, help="the API server's port (6443)")
    add("--kubelet-port", type=int, default=10250, help="the kubelet's port (10250)")
    add("--node-name", default="", help="name of this node (the host name)")
    add("--node-ip", default="", help="address of this node (that of the default route)")
    add(
        "--container-runtime",
        default="auto",
        choices=("auto", "docker", "simulated"),
        help="auto: docker where an engine answers, else simulated pods (auto)",
    )
    add("--docker-endpoint", default="", help="the engine's URL (DOCKER_HOST, else its socket)")
    add(
        "--log-level",
        default="warn",
        choices=("debug", "info", "warn", "error"),
        help="least severe messages shown (warn)",
    )
    for component, flag in EXTRA_FLAGS.items():
        add(
            flag,
            action="append",
            default=[],
            metavar="FLAG=VALUE",
            help=f"a flag of `tapir {component}`, without its dashes; repeatable",
        )


def from_args(flags: argparse.Namespace) -> UpConfig:
    """Check the flags and fill in what was left out; raises ConfigError."""
    node_name = flags.node_name or socket.gethostname().lower()
    if not NODE_NAME.fullmatch(node_name):
        raise ConfigError(
            f"node name {node_name!r} is not a DNS label: give another with --node-name"
        )
    _check_address("--bind-address", flags.bind_address)
    _check_engine(flags.docker_endpoint)
    if flags.secure_port == flags.kubelet_port:
        raise ConfigError(
            f"--secure-port and --kubelet-port are both {flags.secure_port}: give two ports"
        )
    _check_store_files(flags)
    data_dir = flags.data_dir.absolute()
    embedded = f"sqlite:///{data_dir / 'cluster.db'}"
    return UpConfig(
        data_dir=data_dir,
        datastore="" if flags.etcd_servers else flags.datastore or embedded,
        datastore_password_file=_password_file(flags),
        etcd_servers=flags.etcd_servers,
        etcd_cafile=flags.etcd_cafile,
        etcd_certfile=flags.etcd_certfile,
        etcd_keyfile=flags.etcd_keyfile,
        bind_address=flags.bind_address,
        secure_port=_port("--secure-port", flags.secure_port),
        kubelet_port=_port("--kubelet-port", flags.kubelet_port),
        node_name=node_name,
        node_ip=flags.node_ip,
        container_runtime=flags.container_runtime,
        docker_endpoint=flags.docker_endpoint,
        log_level=flags.log_level,
        extra_flags={
            component: tuple(f"--{text.lstrip('-')}" for text in getattr(flags, _dest(flag)))
            for component, flag in EXTRA_FLAGS.items()
        },
    )


def _dest(flag: str) -> str:
    return flag.lstrip("-").replace("-", "_")


def _password_file(flags: argparse.Namespace) -> str:
    """Return the file as the child will find it; ConfigError where nobody would use it."""
    if flags.datastore_password_file and not flags.datastore:
        raise ConfigError("--datastore-password-file is for --datastore URL: give that too")
    return flags.datastore_password_file and str(Path(flags.datastore_password_file).absolute())


def _check_store_files(flags: argparse.Namespace) -> None:
    """Refuse files of a store's TLS that would not be used, or that cannot be."""
    files = {
        "--etcd-cafile": flags.etcd_cafile,
        "--etcd-certfile": flags.etcd_certfile,
        "--etcd-keyfile": flags.etcd_keyfile,
    }
    given = {flag: path for flag, path in files.items() if path}
    if given and "https://" not in flags.etcd_servers:
        raise ConfigError(f"{next(iter(given))} is for --etcd-servers https://…: leave it out")
    if bool(flags.etcd_certfile) != bool(flags.etcd_keyfile):
        raise ConfigError("--etcd-certfile and --etcd-keyfile go together: give both")
    for flag, path in given.items():
        try:
            Path(path).read_bytes()
        except OSError as error:
            raise ConfigError(f"{flag} {path}: {error.strerror}") from error


def _port(flag: str, value: int) -> int:
    if not 1 <= value <= 65535:
        raise ConfigError(f"{flag} {value} is not a port: give a number from 1 to 65535")
    return value


def _check_address(flag: str, value: str) -> None:
    try:
        ipaddress.ip_address(value)
    except ValueError as error:
        raise ConfigError(f"{flag} {value} is not an IP address") from error


def _check_engine(url: str) -> None:
    if url and urlsplit(url).scheme not in ENGINE_SCHEMES:
        raise ConfigError(f"--docker-endpoint {url}: write unix:///path or tcp://host:port")
