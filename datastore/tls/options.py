"""What flags say about TLS, checked; `config.py` makes it from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from datastore.errors import ConfigError
from datastore.tls.ciphers import openssl_names

ONLY_13 = "TLS1.3"
MOST_YEARS = 292  # with more, etcd's are short: Go's durations end there


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """File names are as given; "" is none. `auto` makes a certificate in `directory`."""

    cert_file: str = ""
    key_file: str = ""
    trusted_ca_file: str = ""
    client_cert_auth: bool = False
    crl_file: str = ""
    allowed_hostnames: tuple[str, ...] = ()
    allowed_cns: tuple[str, ...] = ()
    auto: bool = False
    validity_years: int = 1
    directory: Path = Path("fixtures", "client")
    cipher_suites: tuple[str, ...] = ()
    min_version: str = "TLS1.2"
    max_version: str = ""

    def __post_init__(self) -> None:
        """Refuse what contradicts itself, and what gRPC could not be held to."""
        if bool(self.cert_file) != bool(self.key_file):
            raise ConfigError("--cert-file and --key-file go together: give both")
        if self.allowed_cns and self.allowed_hostnames:
            raise ConfigError(
                "allowed-cn and --client-cert-allowed-hostname exclude each other: give one"
            )
        if self._judging and not self.asks_clients:
            raise ConfigError(
                f"{', '.join(self._judging)}: clients are not asked for certificates: give "
                "--trusted-ca-file or --client-cert-auth too"
            )
        if self.max_version == "TLS1.2":
            raise ConfigError(
                "--tls-max-version TLS1.2 is not supported: gRPC always offers TLS 1.3; "
                "leave it out"
            )
        openssl_names(self.cipher_suites)
        if self.min_version == ONLY_13 and self.cipher_suites:
            raise ConfigError("cipher suites cannot be configured when only TLS1.3 is enabled")
        if self.auto and not 1 <= self.validity_years <= MOST_YEARS:
            raise ConfigError(f"--self-signed-cert-validity must be from 1 to {MOST_YEARS} years")

    @property
    def given(self) -> bool:
        """Whether there is, or will be, a certificate to serve with."""
        return self.auto or bool(self.cert_file)

    @property
    def asks_clients(self) -> bool:
        """Whether a client has to show a certificate: as in etcd, an authority is enough."""
        return self.client_cert_auth or bool(self.trusted_ca_file)

    @property
    def judges_clients(self) -> bool:
        """Whether a certificate that an authority has signed may still be refused."""
        return bool(self._judging)

    @property
    def client_rules(self) -> tuple[str, ...]:
        """The flags given that ask something of clients."""
        return (
            _given(
                ("--client-cert-auth", self.client_cert_auth),
                ("--trusted-ca-file", self.trusted_ca_file),
            )
            + self._judging
        )

    @property
    def handshake_rules(self) -> tuple[str, ...]:
        """The flags given that choose what is offered in a handshake."""
        return _given(
            ("--cipher-suites", self.cipher_suites),
            ("--tls-min-version", self.min_version == ONLY_13),
        )

    @property
    def _judging(self) -> tuple[str, ...]:
        return _given(
            ("--client-crl-file", self.crl_file),
            ("--client-cert-allowed-hostname", self.allowed_hostnames),
            ("allowed-cn", self.allowed_cns),
        )


def _given(*flags: tuple[str, object]) -> tuple[str, ...]:
    return tuple(name for name, value in flags if value)
