"""The keys that sign JWT tokens, from the PEM files that etcd takes. Used by jwt.py.

SIGN_METHODS is literal: method, and the kind of key that it needs. An HMAC secret is the private
key file's bytes as they are, whatever they look like, as in etcd.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from cryptography.x509 import load_pem_x509_certificate

from datastore.errors import ConfigError

_RSA = (rsa.RSAPrivateKey, rsa.RSAPublicKey)
_EC = (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey)
_ED = (ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey)
_HMAC = (bytes, bytes)
SIGN_METHODS: dict[str, tuple[type, type]] = {
    "RS256": _RSA,
    "RS384": _RSA,
    "RS512": _RSA,
    "PS256": _RSA,
    "PS384": _RSA,
    "PS512": _RSA,
    "ES256": _EC,
    "ES384": _EC,
    "ES512": _EC,
    "EdDSA": _ED,
    "HS256": _HMAC,
    "HS384": _HMAC,
    "HS512": _HMAC,
}
CURVE_BITS = {"ES256": 256, "ES384": 384, "ES512": 521}
ERRORS = (ValueError, TypeError, UnsupportedAlgorithm)


class KeyPair(NamedTuple):
    """A key to sign with, None when there is only one to check with, and that one."""

    private: Any
    public: Any


def load_keys(method: str, private: bytes, public: bytes) -> KeyPair:
    """Return the keys of a method from the contents of their files; ConfigError if none fits."""
    if SIGN_METHODS[method] is _HMAC:
        if not private:
            raise ConfigError(f"--auth-token jwt: sign-method {method} needs priv-key")
        return KeyPair(private, private)
    if not private and not public:
        raise ConfigError(f"--auth-token jwt: sign-method {method} needs priv-key or pub-key")
    if not private:
        return KeyPair(None, _public(method, public))
    signing = _private(method, private)
    checking = signing.public_key()
    if public and _written(_public(method, public)) != _written(checking):
        raise ConfigError("--auth-token jwt: pub-key is not that of priv-key")
    return KeyPair(signing, checking)


def _private(method: str, pem: bytes) -> Any:
    try:
        key = load_pem_private_key(pem, None)
    except ERRORS as error:
        raise ConfigError(f"--auth-token jwt: priv-key: {error}") from error
    return _fitting(method, "priv-key", key, SIGN_METHODS[method][0])


def _public(method: str, pem: bytes) -> Any:
    try:
        if b"BEGIN CERTIFICATE" in pem:
            key: Any = load_pem_x509_certificate(pem).public_key()
        else:
            key = load_pem_public_key(pem)
    except ERRORS as error:
        raise ConfigError(f"--auth-token jwt: pub-key: {error}") from error
    return _fitting(method, "pub-key", key, SIGN_METHODS[method][1])


def _fitting(method: str, option: str, key: Any, kind: type) -> Any:
    bits = CURVE_BITS.get(method)
    if not isinstance(key, kind) or (bits and _curve_bits(key) != bits):
        raise ConfigError(f"--auth-token jwt: {option} is not a key for sign-method {method}")
    return key


def _curve_bits(key: Any) -> int:
    return int(key.curve.key_size)


def _written(key: Any) -> bytes:
    written: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return written
