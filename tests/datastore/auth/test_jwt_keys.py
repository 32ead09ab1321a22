"""Every sign method signs and checks; keys that do not fit are refused by name at the start."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from datastore.errors import ConfigError
from datastore.errors.auth import VerifyOnly
from datastore.mvcc.auth.model import NamedUser
from datastore.mvcc.auth.tokens import new_tokens
from datastore.mvcc.auth.tokens.keys import SIGN_METHODS
from datastore.mvcc.auth.tokens.kind import Moment

NOW = 1_700_000_000_000
RSA = rsa.generate_private_key(65_537, 2_048)
KEYS: dict[str, Any] = {
    **{f"{kind}{bits}": RSA for kind in ("RS", "PS") for bits in (256, 384, 512)},
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "ES512": ec.generate_private_key(ec.SECP521R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
WriteFile = Callable[[str, bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> WriteFile:
    def written(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return written


def private_pem(key: Any) -> bytes:
    written: bytes = key.private_bytes(
        pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption()
    )
    return written


def public_pem(key: Any) -> bytes:
    written: bytes = key.public_key().public_bytes(
        pem.Encoding.PEM, pem.PublicFormat.SubjectPublicKeyInfo
    )
    return written


def identify(tokens: Any, text: str, now: int = NOW) -> NamedUser | None:
    found: NamedUser | None = tokens.identify(text, Moment(9, now), lambda _: None)
    return found


def test_every_method_of_etcd_is_there() -> None:
    assert set(SIGN_METHODS) == {*KEYS, "HS256", "HS384", "HS512"}


@pytest.mark.parametrize("method", KEYS)
def test_a_method_signs_and_checks(method: str, write: WriteFile) -> None:
    key = KEYS[method]
    private, public = write("private", private_pem(key)), write("public", public_pem(key))
    both = new_tokens(f"jwt,sign-method={method},priv-key={private},pub-key={public}", 0)
    checking = new_tokens(f"jwt,sign-method={method},pub-key={public}", 0)
    text = both.issue("ann", 5, NOW).text

    assert identify(both, text) == identify(checking, text) == NamedUser("ann", 5)
    assert identify(checking, text, NOW + 300_000) is None
    claims = jwt.decode(text, key.public_key(), algorithms=[method], options={"verify_exp": False})
    assert claims == {"username": "ann", "revision": 5, "exp": NOW // 1000 + 300}
    with pytest.raises(VerifyOnly):
        checking.issue("ann", 5, NOW)


@pytest.mark.parametrize("method", ["HS256", "HS384", "HS512"])
def test_a_secret_is_the_bytes_of_its_file(method: str, write: WriteFile) -> None:
    secret = write("secret", b"short\n")
    tokens = new_tokens(f"jwt,sign-method={method},priv-key={secret},ttl=1m", 0)
    text = tokens.issue("ann", 5, NOW).text

    assert identify(tokens, text, NOW + 59_000) == NamedUser("ann", 5)
    assert identify(tokens, text, NOW + 60_000) is None


def test_a_certificate_is_a_public_key(write: WriteFile) -> None:
    key = KEYS["ES256"]
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "signer")])
    begins = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, begins, begins + timedelta(9))
    ).sign(key, hashes.SHA256())
    private = write("private", private_pem(key))
    public = write("certificate", certificate.public_bytes(pem.Encoding.PEM))

    tokens = new_tokens(f"jwt,sign-method=ES256,priv-key={private},pub-key={public}", 0)
    assert identify(tokens, tokens.issue("ann", 5, NOW).text) == NamedUser("ann", 5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("", "sign-method ''"),
        ("sign-method=none", "sign-method 'none'"),
        ("sign-method=RS256", "needs priv-key or pub-key"),
        ("sign-method=HS256,pub-key={public}", "needs priv-key"),
        ("sign-method=ES256,priv-key={private}", "priv-key is not a key for sign-method ES256"),
        ("sign-method=ES384,pub-key={curve}", "pub-key is not a key for sign-method ES384"),
        ("sign-method=RS256,priv-key={public}", "priv-key: "),
        ("sign-method=RS256,priv-key=/nowhere", "/nowhere: No such file or directory"),
        ("sign-method=RS256,priv-key={private},pub-key={other}", "is not that of priv-key"),
        ("sign-method=HS256,priv-key={public},ttl=soon", "ttl 'soon'"),
        ("sign-method=HS256,priv-key={public},ttl=-5m", "no token would ever be good"),
        ("sign-method=HS256,priv-key={public},ttl=0s", "no token would ever be good"),
        ("sign-method=HS256,priv-key={public},ttl=9999999h", "less than 292 years"),
        ("sign-method=HS256,sign-method=HS256", "each name=value once"),
        ("sign-method", "each name=value once"),
    ],
)
def test_options_that_cannot_work(options: str, said: str, write: WriteFile) -> None:
    other = rsa.generate_private_key(65_537, 2_048)
    paths = {
        "private": write("private", private_pem(RSA)),
        "public": write("public", public_pem(RSA)),
        "other": write("other", public_pem(other)),
        "curve": write("curve", public_pem(KEYS["ES256"])),
    }

    with pytest.raises(ConfigError, match="--auth-token") as refused:
        new_tokens(f"jwt,{options.format(**paths)}" if options else "jwt", 0)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_kinds_that_are_none() -> None:
    for spec in ("complex", "simple,ttl=5", "Simple", ",ttl=5"):
        with pytest.raises(ConfigError, match="--auth-token"):
            new_tokens(spec, 300)


@pytest.mark.parametrize("form", ["{deep}.e30.AA", "e30.{deep}.AA", "{deep}.{deep}.{deep}"])
def test_a_token_that_nobody_has_signed_is_not_looked_into(form: str, write: WriteFile) -> None:
    tokens = new_tokens(f"jwt,sign-method=HS256,priv-key={write('secret', b's')}", 0)
    deep = base64.urlsafe_b64encode(b"[" * 3_000).decode()

    assert identify(tokens, form.format(deep=deep)) is None
