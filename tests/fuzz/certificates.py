"""Client certificates of a cluster's own authority, with anything in them that may be in one."""

import datetime
import random
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from control_plane.pki.authority import KeyPair
from control_plane.pki.files import key_pem

UID = x509.ObjectIdentifier("1.3.6.1.4.1.57683.2")
_HOUR = datetime.timedelta(hours=1)
_NAMES = ("uma", "system:node:", "a\u0000b", "ümlaut 🙂", " ", "x" * 64, "system:anonymous", "a/b")
_GROUPS = ("g", "system:authenticated", "é" * 32, "a\nb")
_PURPOSES = (
    [ExtendedKeyUsageOID.CLIENT_AUTH],
    [ExtendedKeyUsageOID.SERVER_AUTH],
    [ExtendedKeyUsageOID.EMAIL_PROTECTION],
    [ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE],
)


class OddCertificates:
    """Signed by the authority at `ca`, or by nobody that is known."""

    def __init__(self, ca: KeyPair, directory: Path, seed: int) -> None:
        self._random = random.Random(seed)
        self._ca = x509.load_pem_x509_certificate(ca.certificate.read_bytes())
        self._ca_key: Any = load_pem_private_key(ca.key.read_bytes(), password=None)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._pair = KeyPair(directory / "odd.crt", directory / "odd.key")
        self._pair.key.write_bytes(key_pem(self._key))

    def next(self) -> tuple[KeyPair, str]:
        """The next one, and the name that it may be believed for: "" for none."""
        chance = self._random.random
        name = self._random.choice(_NAMES) if chance() < 0.8 else ""
        uids = ["u"] * self._random.choice([0, 0, 0, 1, 2])
        purposes = self._random.choice([None, *_PURPOSES])
        starts, ends = self._random.choice(
            [(-_HOUR, _HOUR), (-_HOUR, _HOUR), (-2 * _HOUR, -_HOUR), (_HOUR, 2 * _HOUR)]
        )
        is_signed = chance() < 0.8
        builder = self._builder(name, uids, starts, ends)
        if purposes is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        if chance() < 0.2:
            builder = builder.add_extension(
                x509.BasicConstraints(ca=True, path_length=None), critical=True
            )
        if chance() < 0.1:
            unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
            builder = builder.add_extension(unknown, critical=chance() < 0.5)
        key = self._ca_key if is_signed else self._key
        made = builder.sign(key, hashes.SHA256())
        self._pair.certificate.write_bytes(made.public_bytes(Encoding.PEM))
        is_good = is_signed and ends > _HOUR * 0 and starts < _HOUR * 0
        return self._pair, name if is_good else ""

    def _builder(
        self, name: str, uids: list[str], starts: datetime.timedelta, ends: datetime.timedelta
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        groups = self._random.sample(_GROUPS, self._random.randint(0, len(_GROUPS)))
        attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
        attributes += [x509.NameAttribute(UID, uid) for uid in uids]
        if name:
            attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, name))
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name(attributes))
            .issuer_name(self._ca.subject)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + starts)
            .not_valid_after(now + ends)
        )
