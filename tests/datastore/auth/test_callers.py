"""What a call's metadata and certificate say of its caller."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from datastore.mvcc.auth.model import Credentials
from datastore.rpc.callers import credentials
from tests.support.certificates import Authority


def certificate_of(*names: str) -> dict[str, list[bytes]]:
    with TemporaryDirectory() as directory:
        pair = Authority(Path(directory)).issue("", more=names)
        return {"x509_pem_cert": [pair.certificate.read_bytes()]}


CERTIFICATE = certificate_of("root", "ann") | {"x509_common_name": [b"root"]}
NAMELESS = certificate_of() | {"security_level": [b"TSI_PRIVACY_AND_INTEGRITY"]}
NONE = {"transport_security_type": [b"ssl"]}


@pytest.mark.parametrize(
    ("metadata", "certificate", "expected"),
    [
        ([], None, Credentials()),
        ([("user-agent", "x")], NONE, Credentials()),
        ([("token", "t")], None, Credentials("t")),
        ([("authorization", "Bearer t")], None, Credentials("t")),
        ([("authorization", "a"), ("token", "")], None, Credentials("")),
        ([("token", b"\xff")], None, Credentials("\ufffd")),
        ([], CERTIFICATE, Credentials(None, "ann")),
        ([("token", "t")], CERTIFICATE, Credentials("t", "ann")),
        ([], NAMELESS, Credentials(None, "")),
        ([], {"x509_pem_cert": [b"..."]}, Credentials(None, "")),
        ([("grpcgateway-accept", "")], CERTIFICATE, Credentials()),
        ([("grpcgateway-accept", "x"), ("token", "t")], CERTIFICATE, Credentials("t")),
    ],
)
def test_credentials(metadata: object, certificate: object, expected: Credentials) -> None:
    assert credentials(metadata, certificate) == expected  # type: ignore[arg-type]
