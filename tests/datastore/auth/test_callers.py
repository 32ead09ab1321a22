"""What a call's metadata and certificate say of its caller."""

import pytest

from datastore.mvcc.auth.model import Credentials
from datastore.rpc.callers import credentials

CERTIFICATE = {"x509_common_name": [b"ann"], "x509_pem_cert": [b"..."]}
NAMELESS = {"x509_pem_cert": [b"..."], "security_level": [b"TSI_PRIVACY_AND_INTEGRITY"]}
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
        ([("grpcgateway-accept", "")], CERTIFICATE, Credentials()),
        ([("grpcgateway-accept", "x"), ("token", "t")], CERTIFICATE, Credentials("t")),
    ],
)
def test_credentials(metadata: object, certificate: object, expected: Credentials) -> None:
    assert credentials(metadata, certificate) == expected  # type: ignore[arg-type]
