"""Certificates from signing requests: subject, names and key are the request's, the rest is ours.

Pure but for the serial number. Source: kubernetes pkg/controller/certificates/authority, v1.35.
"""

import base64
import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

BACKDATING = datetime.timedelta(minutes=5)
LONG_LIFE = datetime.timedelta(hours=8)  # a shorter one is not made shorter by the backdating
LEAST_LIFE = datetime.timedelta(minutes=10)

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

# the usages of a request that are bits of the key's usage, by the name that X.509 has for them
_KEY_USAGES: Mapping[str, str] = {
    "signing": "digital_signature",
    "digital signature": "digital_signature",
    "content commitment": "content_commitment",
    "key encipherment": "key_encipherment",
    "data encipherment": "data_encipherment",
    "key agreement": "key_agreement",
    "cert sign": "key_cert_sign",
    "crl sign": "crl_sign",
    "encipher only": "encipher_only",
    "decipher only": "decipher_only",
}
_MICROSOFT, _NETSCAPE = "1.3.6.1.4.1.311.10.3.3", "2.16.840.1.113730.4.1"
_EXTENDED_USAGES: Mapping[str, x509.ObjectIdentifier] = {
    "any": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "server auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "s/mime": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "ipsec end system": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.5"),
    "ipsec tunnel": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.6"),
    "ipsec user": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.7"),
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocsp signing": ExtendedKeyUsageOID.OCSP_SIGNING,
    "microsoft sgc": x509.ObjectIdentifier(_MICROSOFT),
    "netscape sgc": x509.ObjectIdentifier(_NETSCAPE),
}
_BITS = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True, slots=True)
class Authority:
    """Who signs: a certificate and its key."""

    certificate: x509.Certificate
    key: PrivateKey


def parsed_request(encoded: str) -> x509.CertificateSigningRequest:
    """The request of an object, which is base64 of PEM; raises ValueError."""
    return x509.load_pem_x509_csr(base64.b64decode(encoded))


def lifetime(
    now: datetime.datetime,
    asked_seconds: int | None,
    most: datetime.timedelta,
    authority_ends: datetime.datetime,
) -> tuple[datetime.datetime, datetime.datetime]:
    """From when until when a certificate is good: as long as asked, at most `most`.

    Never longer than the authority itself.
    """
    life = most
    if asked_seconds is not None:
        life = min(most, max(LEAST_LIFE, datetime.timedelta(seconds=asked_seconds)))
    begin = now - BACKDATING
    end = begin + life if life >= LONG_LIFE else now + life
    return begin, min(end, authority_ends)


def issue(
    authority: Authority,
    request: x509.CertificateSigningRequest,
    usages: Iterable[str],
    dates: tuple[datetime.datetime, datetime.datetime],
) -> bytes:
    """The certificate in PEM; raises ValueError for usages that X.509 cannot express together."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(request.subject)
        .issuer_name(authority.certificate.subject)
        .public_key(request.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dates[0])
        .not_valid_after(dates[1])
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
    )
    usages = list(usages)
    bits = {_KEY_USAGES[usage] for usage in usages if usage in _KEY_USAGES}
    if bits:
        values = {bit: bit in bits for bit in _BITS}
        builder = builder.add_extension(x509.KeyUsage(**values), critical=True)
    extended = dict.fromkeys(_EXTENDED_USAGES[one] for one in usages if one in _EXTENDED_USAGES)
    if extended:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(extended)), critical=False)
    for extension in request.extensions:
        if extension.oid == ExtensionOID.SUBJECT_ALTERNATIVE_NAME:
            builder = builder.add_extension(extension.value, extension.critical)
    is_edwards = isinstance(authority.key, ed25519.Ed25519PrivateKey)
    signed = builder.sign(authority.key, None if is_edwards else hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)
