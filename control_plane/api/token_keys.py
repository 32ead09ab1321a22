"""What a JSON Web Token says of the key that signs it: its id and its algorithm. Pure.

Used by what signs and by what checks service-account tokens. Source: pkg/serviceaccount of
Kubernetes v1.35.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
_ALGORITHMS: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


def key_id(key: PublicKey) -> str:
    """Return the `kid` of a public key: base64url of the SHA-256 of its DER form."""
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


def algorithm_of(key: PublicKey) -> str:
    """Return the algorithm of tokens that a key checks."""
    return "RS256" if isinstance(key, rsa.RSAPublicKey) else _ALGORITHMS[key.curve.name]
