"""The API server's flags, upstream's names, as one frozen dataclass.

`add_flags` declares them, `from_args` reads and checks what can be checked without touching the
network: a bad value is a ConfigError of one line that names the flag and the remedy.
"""

import argparse
import ipaddress
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from control_plane.apiserver.admission_configuration.options import (
    AdmissionOptions,
    add_admission_flags,
    admission_options,
)
from control_plane.apiserver.audit.options import AuditOptions, add_audit_flags, audit_options
from control_plane.apiserver.auth import account_options
from control_plane.apiserver.auth import config as auth_config
from control_plane.apiserver.auth.account_options import ServiceAccountKeys
from control_plane.apiserver.auth.config import AuthConfig
from control_plane.apiserver.config_error import ConfigError
from control_plane.apiserver.encryption.options import (
    EncryptionOptions,
    add_encryption_flags,
    encryption_options,
)
from control_plane.apiserver.etcd.endpoints import EtcdEndpoints, check_server
from control_plane.apiserver.features import Features, add_feature_flags, features_of
from control_plane.client.flags import boolean, seconds, whole_seconds

__all__ = [
    "ApiServerConfig", "ConfigError", "IPNetwork", "ServiceAccountKeys", "StartError", "TlsFiles",
    "add_flags", "checked", "from_args",
]  # fmt: skip

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

Options = TypeVar("Options")
# upstream has Hostname first, which not every machine can resolve
KUBELET_ADDRESS_TYPES = ("InternalIP", "ExternalIP", "Hostname", "InternalDNS", "ExternalDNS")


class StartError(Exception):
    """The server cannot start as configured, for example because its port is in use."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Certificates the server shows and trusts. `kubelet_*` are for its calls to kubelets.

    `proxy_client_*` are what it shows to the servers of aggregated APIs, which believe it about
    who asks.
    """

    client_ca: Path
    certificate: Path
    private_key: Path
    kubelet_ca: Path | None = None
    kubelet_client_certificate: Path | None = None
    kubelet_client_key: Path | None = None
    proxy_client_certificate: Path | None = None
    proxy_client_key: Path | None = None


@dataclass(frozen=True, slots=True)
class ApiServerConfig:
    """Everything the API server is told.

    Port 0 binds any free port. `event_ttl_seconds` is how long an Event lives. The two limits of
    requests together are the seats that priority and fairness shares out.
    """

    etcd: EtcdEndpoints
    tls: TlsFiles
    service_accounts: ServiceAccountKeys
    auth: AuthConfig = field(default_factory=AuthConfig)
    etcd_prefix: str = "/registry"
    bind_address: str = "0.0.0.0"
    secure_port: int = 6443
    advertise_address: str = ""
    service_cluster_ip_range: str = "10.96.0.0/16"
    service_node_port_range: tuple[int, int] = (30000, 32767)
    event_ttl_seconds: int = 3600
    compaction_interval_seconds: float = 300.0
    max_requests_inflight: int = 400
    max_mutating_requests_inflight: int = 200
    enable_priority_and_fairness: bool = True
    kubelet_address_types: tuple[str, ...] = KUBELET_ADDRESS_TYPES
    encryption: EncryptionOptions | None = None
    audit: AuditOptions | None = None
    admission: AdmissionOptions = field(default_factory=AdmissionOptions)
    features: Features = field(default_factory=Features)

    @property
    def service_networks(self) -> tuple[IPNetwork, ...]:
        """The ranges of cluster IPs: one, or one of each family, the default one first."""
        texts = self.service_cluster_ip_range.split(",")
        return tuple(ipaddress.ip_network(text.strip()) for text in texts)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of `tapir apiserver`."""
    add = parser.add_argument
    add("--etcd-servers", required=True, metavar="URL[,URL]", help="http://host:port, unix:///path")
    add("--etcd-cafile", default="", help="CA that signed the store's certificate")
    add("--etcd-certfile", default="", help="client certificate for the store")
    add("--etcd-keyfile", default="", help="its key")
    add("--etcd-prefix", default="/registry", help="start of every key")
    add(
        "--etcd-compaction-interval",
        type=seconds,
        default=300.0,
        metavar="DURATION",
        help="time between compactions of the store (5m)",
    )
    add("--bind-address", default="0.0.0.0", help="address to listen on")
    add("--secure-port", type=int, default=6443, help="port to listen on")
    add("--advertise-address", default="", help="IP at which others reach this server")
    add("--client-ca-file", required=True, help="CA whose client certificates are believed")
    add("--tls-cert-file", required=True, help="certificate to show")
    add("--tls-private-key-file", required=True, help="its key")
    account_options.add_flags(parser)
    add("--kubelet-client-certificate", default="", help="shown to kubelets")
    add("--kubelet-client-key", default="", help="its key")
    add("--kubelet-certificate-authority", default="", help="CA that signed the kubelets'")
    add(
        "--kubelet-preferred-address-types",
        default=",".join(KUBELET_ADDRESS_TYPES),
        metavar="TYPE[,TYPE]",
        help="which of a node's addresses its kubelet is called at, the first that there is",
    )
    add("--proxy-client-cert-file", default="", help="shown to the servers of aggregated APIs")
    add("--proxy-client-key-file", default="", help="its key")
    add(
        "--service-cluster-ip-range",
        default="10.96.0.0/16",
        metavar="CIDR[,CIDR]",
        help="range of service IPs, or one of each family",
    )
    add(
        "--service-node-port-range",
        default="30000-32767",
        metavar="FIRST-LAST",
        help="ports that services of type NodePort get",
    )
    add(
        "--event-ttl",
        type=seconds,
        default=3600.0,
        metavar="DURATION",
        help="how long events are kept (1h)",
    )
    add(
        "--max-requests-inflight",
        type=int,
        default=400,
        metavar="N",
        help="with the next flag: the requests that are served at once",
    )
    add("--max-mutating-requests-inflight", type=int, default=200, metavar="N", help="see above")
    add(
        "--enable-priority-and-fairness",
        nargs="?",
        type=boolean,
        const=True,
        default=True,
        metavar="true|false",
        help="queue requests by FlowSchemas; else reads and writes beyond their limits get 429",
    )
    add_encryption_flags(parser)
    add_audit_flags(parser)
    add_admission_flags(parser)
    add_feature_flags(parser)
    auth_config.add_flags(parser)


def from_args(args: argparse.Namespace) -> ApiServerConfig:
    """Read parsed flags; raises ConfigError."""
    accounts = account_options.from_args(args)
    return checked(
        ApiServerConfig(
            etcd=EtcdEndpoints(
                tuple(url.strip() for url in args.etcd_servers.split(",") if url.strip()),
                args.etcd_cafile,
                args.etcd_certfile,
                args.etcd_keyfile,
            ),
            tls=TlsFiles(
                Path(args.client_ca_file),
                Path(args.tls_cert_file),
                Path(args.tls_private_key_file),
                _optional(args.kubelet_certificate_authority),
                _optional(args.kubelet_client_certificate),
                _optional(args.kubelet_client_key),
                _optional(args.proxy_client_cert_file),
                _optional(args.proxy_client_key_file),
            ),
            service_accounts=accounts,
            auth=auth_config.from_args(args, accounts.issuer),
            etcd_prefix=args.etcd_prefix,
            bind_address=args.bind_address,
            secure_port=args.secure_port,
            advertise_address=args.advertise_address,
            service_cluster_ip_range=args.service_cluster_ip_range,
            service_node_port_range=_port_range(args.service_node_port_range),
            event_ttl_seconds=whole_seconds(args.event_ttl),
            compaction_interval_seconds=args.etcd_compaction_interval,
            max_requests_inflight=args.max_requests_inflight,
            max_mutating_requests_inflight=args.max_mutating_requests_inflight,
            enable_priority_and_fairness=args.enable_priority_and_fairness,
            kubelet_address_types=_address_types(args.kubelet_preferred_address_types),
            encryption=_named(encryption_options, args),
            audit=_named(audit_options, args),
            admission=_named(admission_options, args),
            features=_named(features_of, args),
        )
    )


def _named(read: Callable[..., Options], *args: argparse.Namespace) -> Options:
    """Read a group of flags, or the file that one names; what is against it is a ConfigError."""
    try:
        return read(*args)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def checked(config: ApiServerConfig) -> ApiServerConfig:
    """Return `config` if it can work; raises ConfigError for the first thing that cannot."""
    if not config.etcd.servers:
        raise ConfigError("--etcd-servers is empty: name at least one, as in http://127.0.0.1:2379")
    try:
        for server in config.etcd.servers:
            check_server(server)
    except ValueError as error:
        raise ConfigError(f"--etcd-servers: {error}") from error
    if not config.etcd_prefix.startswith("/") or config.etcd_prefix.endswith("/"):
        raise ConfigError(
            f"--etcd-prefix {config.etcd_prefix!r}: it starts with / and has no / at its end"
        )
    _check_addresses(config)
    _check_numbers(config)
    _check_pairs(config)
    for flag, path in _files(config):
        _check_readable(flag, path)
    if config.encryption is not None:
        _named(config.encryption.read)
    if config.audit is not None:
        _named(config.audit.read)
    _named(config.admission.read)
    return config


def _check_addresses(config: ApiServerConfig) -> None:
    for flag, address in (
        ("--bind-address", config.bind_address),
        ("--advertise-address", config.advertise_address),
    ):
        try:
            _ = address and ipaddress.ip_address(address)
        except ValueError as error:
            raise ConfigError(f"{flag} {address!r} is not an IP address") from error
    _check_service_ranges(config)
    if not 0 <= config.secure_port <= 65535:
        raise ConfigError(f"--secure-port {config.secure_port} is not a port: take 1 to 65535")


def _check_service_ranges(config: ApiServerConfig) -> None:
    flag = "--service-cluster-ip-range"
    try:
        networks = config.service_networks
    except ValueError as error:
        raise ConfigError(f"{flag}: {error}: give a range such as 10.96.0.0/16") from error
    if len(networks) > 2 or len({network.version for network in networks}) < len(networks):
        raise ConfigError(f"{flag}: give one range, or one of IPv4 and one of IPv6")
    for network in networks:
        if network.num_addresses < 8:
            raise ConfigError(f"{flag} {network} is too small: take a /29 or larger")
        if network.version == 6 and network.prefixlen < 64:
            raise ConfigError(f"{flag} {network} is too large: take a /64 or smaller")


def _check_numbers(config: ApiServerConfig) -> None:
    for flag, duration in (
        ("--event-ttl", config.event_ttl_seconds),
        ("--etcd-compaction-interval", config.compaction_interval_seconds),
    ):
        if not 1 <= duration < math.inf:
            raise ConfigError(f"{flag} {duration}: give a number of seconds, at least 1")
    limits = (
        ("--max-requests-inflight", config.max_requests_inflight),
        ("--max-mutating-requests-inflight", config.max_mutating_requests_inflight),
    )
    for flag, limit in limits:
        if limit < 0:
            raise ConfigError(f"{flag} {limit}: give a number of requests, at least 0")
    if config.enable_priority_and_fairness and not any(limit for _, limit in limits):
        flags = " and ".join(flag for flag, _ in limits)
        raise ConfigError(f"{flags} are both 0: no request would ever be served")


def _check_pairs(config: ApiServerConfig) -> None:
    """A certificate without its key, or the other way round, would be ignored."""
    for flag, certificate, key in (
        ("--etcd-certfile and --etcd-keyfile", config.etcd.cert_file, config.etcd.key_file),
        (
            "--kubelet-client-certificate and --kubelet-client-key",
            config.tls.kubelet_client_certificate,
            config.tls.kubelet_client_key,
        ),
        (
            "--proxy-client-cert-file and --proxy-client-key-file",
            config.tls.proxy_client_certificate,
            config.tls.proxy_client_key,
        ),
    ):
        if bool(certificate) != bool(key):
            raise ConfigError(f"{flag}: give both or neither")


def _files(config: ApiServerConfig) -> list[tuple[str, Path]]:
    tls, accounts, etcd = config.tls, config.service_accounts, config.etcd
    auth = config.auth
    proxies = auth.request_headers
    named: list[tuple[str, Path | None]] = [
        ("--requestheader-client-ca-file", proxies.authority if proxies is not None else None),
        ("--token-auth-file", auth.token_file),
        ("--client-ca-file", tls.client_ca),
        ("--tls-cert-file", tls.certificate),
        ("--tls-private-key-file", tls.private_key),
        ("--service-account-signing-key-file", accounts.signing_key),
        *(("--service-account-key-file", path) for path in accounts.public_keys),
        ("--kubelet-certificate-authority", tls.kubelet_ca),
        ("--kubelet-client-certificate", tls.kubelet_client_certificate),
        ("--kubelet-client-key", tls.kubelet_client_key),
        ("--proxy-client-cert-file", tls.proxy_client_certificate),
        ("--proxy-client-key-file", tls.proxy_client_key),
        ("--etcd-cafile", _optional(etcd.ca_file)),
        ("--etcd-certfile", _optional(etcd.cert_file)),
        ("--etcd-keyfile", _optional(etcd.key_file)),
    ]
    return [(flag, path) for flag, path in named if path is not None]


def _check_readable(flag: str, path: Path) -> None:
    try:
        path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{flag} {path}: {error.strerror}: give a file that can be read"
        ) from error


def _optional(path: str) -> Path | None:
    return Path(path) if path else None


def _address_types(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    wrong = [name for name in names if name not in KUBELET_ADDRESS_TYPES]
    if wrong or not names:
        known = ", ".join(KUBELET_ADDRESS_TYPES)
        raise ConfigError(f"--kubelet-preferred-address-types {text!r}: choose from {known}")
    return names


def _port_range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    if not (first.isdigit() and last.isdigit() and 0 < int(first) <= int(last) <= 65535):
        raise ConfigError(
            f"--service-node-port-range {text!r}: write FIRST-LAST, as in 30000-32767"
        )
    return int(first), int(last)
