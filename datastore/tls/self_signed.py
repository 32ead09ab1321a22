"""--auto-tls: a certificate of our own making, kept beside the data and used again."""

from __future__ import annotations

import datetime
import ipaddress
import os
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from datastore.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

YEAR = datetime.timedelta(days=365)
KEY_MODE = 0o600  # nobody else may read a private key


def ensure(directory: Path, hosts: Iterable[str], years: int) -> tuple[str, str]:
    """Return the files (certificate, key) in a directory, after making them if need be.

    Files that are there are used as they are, also when the hosts have changed: as in etcd, remove
    them to get new ones.
    """
    certificate, key = directory / "cert.pem", directory / "key.pem"
    if not (certificate.exists() and key.exists()):
        try:
            _make_directory(directory)
            _make(certificate, key, hosts, years)
        except OSError as error:
            raise ConfigError(f"--auto-tls: {error.filename}: {error.strerror}") from error
    return str(certificate), str(key)


def _make_directory(directory: Path) -> None:
    """Make what is missing for the owner alone: `mkdir` does so to the last one only."""
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=0o700)


def _make(certificate: Path, key: Path, hosts: Iterable[str], years: int) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    signed = _signed(private, hosts, years)
    _write(
        key,
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    _write(certificate, signed.public_bytes(serialization.Encoding.PEM))


def _signed(
    private: ec.EllipticCurvePrivateKey, hosts: Iterable[str], years: int
) -> x509.Certificate:
    """Return a certificate of a server at these hosts that is an authority by itself."""
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "tapir")])
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + years * YEAR)
        .add_extension(x509.SubjectAlternativeName([_name(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write(path: Path, content: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, KEY_MODE), "wb") as file:
        os.fchmod(file.fileno(), KEY_MODE)  # one that was there may be anybody's to read
        file.write(content)
