"""Certificates for tests: authorities that sign servers, clients and each other, and revoke."""

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HOUR = datetime.timedelta(hours=1)
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path

    @property
    def serial(self) -> int:
        """The certificate's serial number."""
        return x509.load_pem_x509_certificate(self.certificate.read_bytes()).serial_number


class Authority:
    """A CA whose files lie in a directory; `certificate` is its own.

    One with another `above` it is intermediate: who it signs shows its certificate too.
    """

    def __init__(
        self, directory: Path, name: str = "test-ca", above: "Authority | None" = None
    ) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        self.certificate = directory / f"{name}.crt"
        signer = above or self
        built = _builder(self._name, self._key).issuer_name(signer._name)
        built = built.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        _write(self.certificate, built.sign(signer._key, hashes.SHA256()))
        self._shown = self.certificate.read_bytes() if above else b""

    @property
    def serial(self) -> int:
        """Its certificate's serial number."""
        return Pair(self.certificate, self.certificate).serial

    def issue(
        self, name: str, names: Sequence[str] = (), file: str = "", more: Sequence[str] = ()
    ) -> Pair:
        """Sign a certificate for a common name (and `more` after it), with alternative names.

        It is good for either side. A second one of the same `file` takes the place of the first.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        built = _builder(_name(name, *more), key).issuer_name(self._name)
        built = built.add_extension(x509.ExtendedKeyUsage([SERVER, CLIENT]), critical=False)
        if names:
            alternative = x509.SubjectAlternativeName([_alternative(text) for text in names])
            built = built.add_extension(alternative, critical=False)
        pair = Pair(*(self._directory / f"{file or name}{end}" for end in (".crt", ".key")))
        pair.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        _write(pair.certificate, built.sign(self._key, hashes.SHA256()), self._shown)
        return pair

    def revoke(self, *revoked: "Pair | Authority") -> Path:
        """Write a revocation list of these certificates, as DER."""
        now = datetime.datetime.now(datetime.UTC)
        built = x509.CertificateRevocationListBuilder(self._name, now - HOUR, now + HOUR)
        for one in revoked:
            entry = x509.RevokedCertificateBuilder(one.serial, now - HOUR).build()
            built = built.add_revoked_certificate(entry)
        path = self._directory / "revoked.crl"
        signed = built.sign(self._key, hashes.SHA256())
        path.write_bytes(signed.public_bytes(serialization.Encoding.DER))
        return path


def _builder(name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - HOUR)
        .not_valid_after(now + HOUR)
    )


def _name(*texts: str) -> x509.Name:
    """The subject with these common names that are not empty."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text) for text in texts if text])


def _alternative(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _write(path: Path, certificate: x509.Certificate, more: bytes = b"") -> None:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + more)
