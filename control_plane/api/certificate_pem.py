"""Certificates and requests for them as API objects hold them: base64 of PEM.

The functions say what is wrong with one, "" when nothing is. Called by the rules of certificate
signing requests and of custom resource definitions, and the warnings of secrets. Pure.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

_REQUEST: Final = "CERTIFICATE REQUEST"
_BLOCK: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\s*\n(.*?)-----END \1-----", re.DOTALL)


def request_trouble(encoded: str) -> str:
    """Say what is wrong with a signing request: it must be signed by the key it is about."""
    try:
        blocks = _blocks(encoded)
    except ValueError as error:
        return str(error)
    if not blocks or blocks[0][0] != _REQUEST:
        return "PEM block type must be CERTIFICATE REQUEST"
    try:
        request = x509.load_der_x509_csr(base64.b64decode(blocks[0][1], validate=False))
        is_signed = request.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm, binascii.Error) as error:
        return f"the certificate request cannot be read: {error}"
    return "" if is_signed else "the certificate request is not signed by its own key"


def request_organizations(encoded: str) -> list[str]:
    """Return the organizations (O) in the subject of a valid signing request."""
    block = _blocks(encoded)[0][1]
    request = x509.load_der_x509_csr(base64.b64decode(block, validate=False))
    found = request.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return [str(attribute.value) for attribute in found]


def authorities_trouble(encoded: str) -> str:
    """Say what is wrong with a bundle of authorities: one certificate in it must be readable.

    An empty bundle is fine. Source: client-go's transport, v1.35.
    """
    if not encoded:
        return ""
    try:
        blocks = _blocks(encoded)
    except ValueError as error:
        return str(error)
    trouble = "" if blocks else "unable to parse bytes as PEM block"
    for body in (body for kind, body in blocks if kind == "CERTIFICATE" and b":" not in body):
        try:
            x509.load_der_x509_certificate(base64.b64decode(body))
        except (ValueError, TypeError, binascii.Error) as error:
            trouble = trouble or f"failed to parse certificate: {error}"
        else:
            return ""
    trouble = trouble or "no valid certificate authority data seen"
    return f"unable to load root certificates: {trouble}"


def certificate_trouble(encoded: str) -> str:
    """Say what is wrong with issued certificates: nothing but certificates, and at least one."""
    try:
        blocks = _blocks(encoded)
    except ValueError as error:
        return str(error)
    for kind, body in blocks:
        if kind != "CERTIFICATE":
            return f'only CERTIFICATE PEM blocks are allowed, found "{kind}"'
        if b":" in body:
            return "no PEM block headers are permitted"
        try:
            x509.load_der_x509_certificate(base64.b64decode(body, validate=False))
        except (ValueError, TypeError, UnsupportedAlgorithm, binascii.Error) as error:
            return str(error)
    return "" if blocks else "must contain at least one CERTIFICATE PEM block"


def _blocks(encoded: str) -> list[tuple[str, bytes]]:
    """Return the (type, body) of each PEM block; ValueError when it is no base64."""
    try:
        text = base64.b64decode(encoded)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"the content is not base64: {error}") from error
    return [(kind.decode(), body) for kind, body in _BLOCK.findall(text)]


def key_pair_trouble(certificate: str, key: str) -> str:
    """Say why a certificate and a key, both base64 of PEM, cannot serve TLS together."""
    try:
        pem, key_pem = base64.b64decode(certificate), base64.b64decode(key)
    except (binascii.Error, ValueError) as error:
        return f"tls: {error}"
    if not _BLOCK.search(pem):
        return "tls: failed to find any PEM data in certificate input"
    if not _BLOCK.search(key_pem):
        return "tls: failed to find any PEM data in key input"
    try:
        public = x509.load_pem_x509_certificates(pem)[0].public_key()
        private = serialization.load_pem_private_key(key_pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        return f"tls: {error}"
    same = _der_of(public) == _der_of(private.public_key())
    return "" if same else "tls: private key does not match public key"


def _der_of(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
