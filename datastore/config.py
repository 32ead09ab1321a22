"""The checked configuration: what the flags of `datastore.flags` mean together.

Made from `Settings` by `from_settings`, or by tests directly. Reads no file and opens nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from datastore.addresses import ListenUrl, listen_url
from datastore.data_dir import endpoint_in
from datastore.errors import ConfigError, StartError
from datastore.flags.flag import LONGEST_DURATION, parse_duration
from datastore.gateway.options import HttpOptions
from datastore.log_output import LogOptions
from datastore.rpc.options import NO_LIMIT, GrpcOptions
from datastore.tls import coverage
from datastore.tls.options import TlsOptions

if TYPE_CHECKING:
    from datastore.flags.settings import Note, Settings

__all__ = ["ConfigError", "DatastoreConfig", "StartError", "from_settings"]

DEFAULT_URL = "http://localhost:2379"
DEFAULT_QUOTA = 2 << 30
HOUR = 3600.0
PEERS = "initial-advertise-peer-urls"
LONGEST_TTL = int(LONGEST_DURATION)
LONGEST_ELECTION_MS = 50_000


@dataclass(frozen=True, slots=True)
class AutoCompaction:
    """How much history is kept: seconds (`periodic`) or revisions (`revision`); 0 is all."""

    mode: str = "periodic"
    retention: float = 0.0


@dataclass(frozen=True, slots=True)
class DatastoreConfig:
    """What a datastore server is told. Seconds, bytes; a quota of 0 or less is none.

    `endpoint` "" is a SQLite file in `data_dir`. `notes` are what the log should say of the flags.
    What may hold a password is not in the representation; `exposed` are the flags that show one.
    """

    endpoint: str = field(default="", repr=False)
    name: str = "default"
    data_dir: Path = Path("default.etcd")
    listen_client_urls: tuple[str, ...] = (DEFAULT_URL,)
    advertise_client_urls: tuple[str, ...] = ()
    peer_urls: tuple[str, ...] = ()
    initial_cluster: str = ""
    password_file: str = ""
    endpoint_listen: str = field(default="", repr=False)
    watch_progress_notify_interval: float = 600.0
    max_txn_ops: int = 128
    quota_backend_bytes: int = DEFAULT_QUOTA
    least_lease_ttl: int = 2
    grpc: GrpcOptions = field(default_factory=GrpcOptions)
    auto_compaction: AutoCompaction = AutoCompaction()
    auth_token: str = "simple"
    auth_token_ttl: int = 300
    bcrypt_cost: int = 10
    tls: TlsOptions = field(default_factory=TlsOptions)
    http: HttpOptions = field(default_factory=HttpOptions)
    log: LogOptions = field(default_factory=LogOptions)
    notes: tuple[Note, ...] = field(default=(), repr=False)
    exposed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what could not be served."""
        if not self.listen_client_urls:
            raise ConfigError("--listen-client-urls is empty: give at least one URL")
        if not self.name:
            raise ConfigError("--name is empty: give the server a name")
        if self.watch_progress_notify_interval < 0.1:
            raise ConfigError("--watch-progress-notify-interval must be at least 100ms")
        limits = {
            "--max-request-bytes": self.grpc.max_request_bytes,
            "--max-txn-ops": self.max_txn_ops,
        }
        for flag, limit in limits.items():
            if limit <= 0:
                raise ConfigError(f"{flag} {limit}: give a number from 1 on")
        if self.grpc.keepalive_interval < 0 or self.grpc.keepalive_timeout < 0:
            raise ConfigError("--grpc-keepalive-interval and -timeout must not be negative")
        if self.auth_token_ttl > LONGEST_TTL:
            raise ConfigError(f"--auth-token-ttl must be at most {LONGEST_TTL} seconds")
        if not 4 <= self.bcrypt_cost <= 31:
            raise ConfigError("--bcrypt-cost must be from 4 to 31")
        coverage.check(self.tls, self.listeners + self.http.clients, self.http.metrics)
        self._check_told()
        self._check_members()

    @property
    def listeners(self) -> tuple[ListenUrl, ...]:
        """The client URLs, understood."""
        return tuple(listen_url("listen-client-urls", url) for url in self.listen_client_urls)

    @property
    def advertised(self) -> tuple[str, ...]:
        """The URLs that other clients are told; those listened on, if none were given."""
        return self.advertise_client_urls or self.listen_client_urls

    @property
    def all_notes(self) -> tuple[Note, ...]:
        """What the log should say of the flags, each by itself and together."""
        return self.notes + coverage.notes(self.tls, self.listeners + self.http.clients)

    @property
    def database(self) -> str:
        """The URL of the database."""
        return self.endpoint or endpoint_in(self.data_dir)

    def _check_told(self) -> None:
        """Refuse to tell clients of what is no URL: some connect to whatever they are told."""
        for url in self.advertise_client_urls:
            listen_url("advertise-client-urls", url)
        for url in self.peer_urls:
            listen_url(PEERS, url)

    def _check_members(self) -> None:
        """Refuse to be one of several servers that share nothing."""
        members = {member.partition("=")[0].strip() for member in self.initial_cluster.split(",")}
        if len(members) > 1 and self.database.startswith("sqlite"):
            raise ConfigError(
                f"--initial-cluster names {len(members)} members, but a SQLite store is one "
                "server's alone: name one, or give all of them one --endpoint, "
                "postgresql://… or mysql://…"
            )


def from_settings(settings: Settings) -> DatastoreConfig:
    """Return the configuration of flags that were read; ConfigError names what is wrong."""
    name = settings["name"]
    data_dir = Path(settings["data-dir"] or f"{name}.etcd")
    return DatastoreConfig(
        endpoint=settings["endpoint"],
        name=name,
        data_dir=data_dir,
        listen_client_urls=settings["listen-client-urls"],
        advertise_client_urls=settings["advertise-client-urls"],
        peer_urls=settings[PEERS] if PEERS in settings.given else (),
        initial_cluster=settings["initial-cluster"],
        password_file=settings["endpoint-password-file"],
        endpoint_listen=settings["endpoint-listen"],
        watch_progress_notify_interval=settings["watch-progress-notify-interval"],
        max_txn_ops=settings["max-txn-ops"],
        quota_backend_bytes=settings["quota-backend-bytes"] or DEFAULT_QUOTA,
        least_lease_ttl=least_lease_ttl(
            settings["heartbeat-interval"], settings["election-timeout"]
        ),
        grpc=_grpc(settings),
        auto_compaction=auto_compaction(
            settings["auto-compaction-mode"], settings["auto-compaction-retention"]
        ),
        auth_token=settings["auth-token"],
        auth_token_ttl=settings["auth-token-ttl"],
        bcrypt_cost=settings["bcrypt-cost"],
        tls=_tls(settings, data_dir),
        http=_http(settings),
        log=LogOptions(settings["log-level"], settings["log-format"], settings["log-outputs"]),
        notes=settings.notes,
        exposed=settings.exposed,
    )


def auto_compaction(mode: str, text: str) -> AutoCompaction:
    """Return what a mode and a retention mean: a bare number is hours or revisions."""
    if text.isdecimal():
        return AutoCompaction(mode, float(text) * (HOUR if mode == "periodic" else 1))
    try:
        retention = parse_duration(text)
    except ValueError as error:
        raise ConfigError(f"--auto-compaction-retention {text!r}: {error}") from error
    if mode == "revision" or retention < 0:
        raise ConfigError(
            f"--auto-compaction-retention {text!r}: write a number that is not negative"
        )
    return AutoCompaction(mode, retention)


def _grpc(settings: Settings) -> GrpcOptions:
    return GrpcOptions(
        front=settings["grpc-front"],
        max_request_bytes=settings["max-request-bytes"],
        max_streams=settings["max-concurrent-streams"] or NO_LIMIT,
        keepalive_interval=settings["grpc-keepalive-interval"],
        keepalive_timeout=settings["grpc-keepalive-timeout"],
        reuse_port=settings["socket-reuse-port"],
    )


def _tls(settings: Settings, data_dir: Path) -> TlsOptions:
    section = "client-transport-security"
    return TlsOptions(
        cert_file=settings["cert-file"],
        key_file=settings["key-file"],
        trusted_ca_file=settings["trusted-ca-file"],
        client_cert_auth=settings["client-cert-auth"],
        crl_file=settings["client-crl-file"],
        allowed_hostnames=settings["client-cert-allowed-hostname"],
        allowed_cns=settings[f"{section}.allowed-cn"],
        auto=settings["auto-tls"] and not settings["cert-file"],
        validity_years=settings["self-signed-cert-validity"],
        directory=data_dir / "fixtures" / "client",
        cipher_suites=settings["cipher-suites"],
        min_version=settings["tls-min-version"],
        max_version=settings["tls-max-version"],
    )


def _http(settings: Settings) -> HttpOptions:
    return HttpOptions(
        client_urls=settings["listen-client-http-urls"],
        metrics_urls=settings["listen-metrics-urls"],
        cors=settings["cors"] or ("*",),
        host_whitelist=settings["host-whitelist"] or ("*",),
        gateway=settings["enable-grpc-gateway"],
        extensive_metrics=settings["metrics"] == "extensive",
    )


def least_lease_ttl(heartbeat: int, election: int) -> int:
    """Return the seconds that a lease lives at least, which etcd takes from raft's milliseconds.

    That is one and a half election timeouts, which etcd counts in heartbeats.
    """
    if not heartbeat or not election:
        raise ConfigError("--heartbeat-interval and --election-timeout must be more than 0")
    if 5 * heartbeat > election or election > LONGEST_ELECTION_MS:
        raise ConfigError(
            f"--election-timeout {election}ms must be at least 5 times --heartbeat-interval "
            f"{heartbeat}ms and at most {LONGEST_ELECTION_MS}ms"
        )
    return -(-(3 * (election // heartbeat) // 2) * heartbeat // 1000)
