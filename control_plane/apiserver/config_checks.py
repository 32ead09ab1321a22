"""What is wrong with the API server's settings, as far as it shows without the network.

A bad value is a ConfigError of one line that names the flag and the remedy.
"""

import ipaddress
import math
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from control_plane.apiserver.config_error import ConfigError
from control_plane.apiserver.etcd.endpoints import check_server
from control_plane.apiserver.settings import ApiServerConfig

Result = TypeVar("Result")


def without_value_errors(read: Callable[..., Result], *args: object) -> Result:
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
        without_value_errors(config.encryption.read)
    if config.audit is not None:
        without_value_errors(config.audit.read)
    without_value_errors(config.admission.read)
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
    ]
    stores = (
        ("--etcd-cafile", etcd.ca_file),
        ("--etcd-certfile", etcd.cert_file),
        ("--etcd-keyfile", etcd.key_file),
    )
    return [
        *((flag, path) for flag, path in named if path is not None),
        *((flag, Path(path)) for flag, path in stores if path),
    ]


def _check_readable(flag: str, path: Path) -> None:
    try:
        path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{flag} {path}: {error.strerror}: give a file that can be read"
        ) from error
