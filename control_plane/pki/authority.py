"""A certificate authority in two files, and the certificates it issues.

Keys are EC P-256 in PKCS#8, readable by their owner only. A leaf lasts a year and is issued anew at
a start that finds it close to its end, bound to other names, or signed by another authority. Called
by `cluster`.
"""

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from control_plane.pki.files import key_pem, write_file

AUTHORITY_LIFE = datetime.timedelta(days=3650)
LEAF_LIFE = datetime.timedelta(days=365)
RENEW_BEFORE = datetime.timedelta(days=30)
CLOCK_SKEW = datetime.timedelta(minutes=5)
CLUSTER_AUTHORITY = "tapir-ca"

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class PkiError(Exception):
    """A certificate or key on disk cannot be used; the text names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a leaf certificate speaks for.

    `user` becomes the common name and `groups` the organizations, which is how the API server reads
    them. `dns_names` and `addresses` are what a server certificate answers for; both empty makes a
    client-only one.
    """

    user: str
    groups: tuple[str, ...] = ()
    dns_names: tuple[str, ...] = ()
    addresses: tuple[IPAddress, ...] = ()

    @property
    def is_server(self) -> bool:
        """Whether the certificate is also for serving."""
        return bool(self.dns_names or self.addresses)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Paths of a PEM certificate and of its PEM key."""

    certificate: Path
    key: Path


class Authority:
    """The CA whose certificate and key are at `pair`; made there when both are missing."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        """Wrap a loaded certificate and key; use `open` to load or make them."""
        self._certificate = certificate
        self._key = key

    @classmethod
    def open(
        cls, pair: KeyPair, now: datetime.datetime, name: str = CLUSTER_AUTHORITY
    ) -> "Authority":
        """Load the authority, or make what is missing of it, with `name` as its common name.

        A certificate alone can be made again: the same key and name keep every certificate that was
        handed out good. Raises PkiError when the key is missing beside a certificate, when one of
        them cannot be read, or when they do not belong together.
        """
        if not pair.certificate.exists():
            return cls._create(pair, now, name)
        if not pair.key.exists():
            raise PkiError(
                f"{pair.key} is missing beside {pair.certificate}: restore it from a backup"
            )
        certificate, key = _load_certificate(pair.certificate), _load_key(pair.key)
        if not _belong_together(certificate, key):
            raise PkiError(
                f"{pair.key} is not the key of {pair.certificate}: restore both from one backup"
            )
        return cls(certificate, key)

    @classmethod
    def replace(cls, pair: KeyPair, now: datetime.datetime, name: str) -> "Authority":
        """Make an authority with a key of its own in place of the one at `pair`.

        What the old one has signed is worth nothing any more. A crash on the way leaves no
        certificate, which `open` makes.
        """
        pair.certificate.unlink(missing_ok=True)
        pair.key.unlink(missing_ok=True)
        return cls._create(pair, now, name)

    @property
    def name(self) -> str:
        """The common name."""
        return _identity_of(self._certificate).user

    @classmethod
    def _create(cls, pair: KeyPair, now: datetime.datetime, name: str) -> "Authority":
        if pair.key.exists():
            key = _load_key(pair.key)
        else:
            key = ec.generate_private_key(ec.SECP256R1())
            write_file(pair.key, key_pem(key), 0o600)
        subject = _subject(Identity(name))
        builder = _builder(
            subject, subject, key.public_key(), (now - CLOCK_SKEW, now + AUTHORITY_LIFE)
        )
        certificate = (
            builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_key_usage(sign_certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        write_file(pair.certificate, _certificate_pem(certificate), 0o644)
        return cls(certificate, key)

    def ensure(self, pair: KeyPair, identity: Identity, now: datetime.datetime) -> None:
        """Leave at `pair` a certificate of this authority for `identity` that is good for a month
        more.
        """
        if not self._is_current(pair, identity, now):
            self._issue(pair, identity, now)

    def renew(self, pair: KeyPair, now: datetime.datetime) -> None:
        """Put a new key and certificate for the same identity at `pair`, however good the old is.

        Raises PkiError when the old one cannot be read.
        """
        self._issue(pair, _identity_of(_load_certificate(pair.certificate)), now)

    def _is_current(self, pair: KeyPair, identity: Identity, now: datetime.datetime) -> bool:
        if not (pair.certificate.exists() and pair.key.exists()):
            return False
        certificate = _load_certificate(pair.certificate)
        try:
            certificate.verify_directly_issued_by(self._certificate)
        except (ValueError, TypeError, InvalidSignature):
            return False
        if not _belong_together(certificate, _load_key(pair.key)):
            return False  # two files are not replaced in one step: a crash came in between
        in_date = certificate.not_valid_after_utc - now > RENEW_BEFORE
        return in_date and _identity_of(certificate) == identity

    def _issue(self, pair: KeyPair, identity: Identity, now: datetime.datetime) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        dates = (now - CLOCK_SKEW, now + LEAF_LIFE)
        builder = _builder(_subject(identity), self._certificate.subject, key.public_key(), dates)
        builder = (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(sign_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(_purposes(identity)), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )
        if identity.is_server:
            builder = builder.add_extension(_alternative_names(identity), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        write_file(pair.key, key_pem(key), 0o600)
        write_file(pair.certificate, _certificate_pem(certificate), 0o644)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    dates: tuple[datetime.datetime, datetime.datetime],
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(dates[0])
        .not_valid_after(dates[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _subject(identity: Identity) -> x509.Name:
    names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in identity.groups]
    return x509.Name([*names, x509.NameAttribute(NameOID.COMMON_NAME, identity.user)])


def _key_usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _purposes(identity: Identity) -> list[x509.ObjectIdentifier]:
    client = [ExtendedKeyUsageOID.CLIENT_AUTH]
    return [ExtendedKeyUsageOID.SERVER_AUTH, *client] if identity.is_server else client


def _alternative_names(identity: Identity) -> x509.SubjectAlternativeName:
    dns: list[x509.GeneralName] = [x509.DNSName(name) for name in identity.dns_names]
    return x509.SubjectAlternativeName([*dns, *map(x509.IPAddress, identity.addresses)])


def _identity_of(certificate: x509.Certificate) -> Identity:
    subject = certificate.subject
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names = x509.SubjectAlternativeName([])
    return Identity(
        user=str(subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value),
        groups=tuple(
            str(attribute.value)
            for attribute in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        ),
        dns_names=tuple(names.get_values_for_type(x509.DNSName)),
        addresses=tuple(
            address
            for address in names.get_values_for_type(x509.IPAddress)
            if isinstance(address, IPAddress)
        ),
    )


def _belong_together(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> bool:
    return certificate.public_key() == key.public_key()


def _certificate_pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _load_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise PkiError(f"{path} is not a readable PEM certificate: {error}") from error


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise PkiError(f"{path} is not a readable PEM key: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise PkiError(f"{path} is not an EC key, as this cluster's authority has: restore it")
    return key
