"""What is signed, for how long, who approves it, and when a request goes: without a cluster."""

import base64
import datetime
import ipaddress
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from control_plane.controllers.certificates.approving import questions
from control_plane.controllers.certificates.cleaning import is_done
from control_plane.controllers.certificates.issuing import Authority, lifetime
from control_plane.controllers.certificates.signers import (
    API_CLIENT,
    KUBELET_CLIENT,
    KUBELET_SERVING,
    LEGACY_UNKNOWN,
    SIGNERS,
)
from control_plane.controllers.certificates.signing import answer, wants_signature

NOW = datetime.datetime(2026, 5, 1, 12, 0, tzinfo=datetime.UTC)
YEAR = datetime.timedelta(days=365)
CLIENT = ["digital signature", "key encipherment", "client auth"]
SERVER = ["digital signature", "key encipherment", "server auth"]
ADDRESS = x509.IPAddress(ipaddress.ip_address("10.0.0.7"))
Object = dict[str, Any]


def csr(name: str, groups: tuple[str, ...] = (), sans: tuple[x509.GeneralName, ...] = ()) -> Any:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, name))
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(attributes))
    if sans:
        builder = builder.add_extension(x509.SubjectAlternativeName(sans), critical=False)
    return builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())


def request(parsed: Any, signer: str, usages: list[str], **spec: Any) -> Object:
    pem = parsed.public_bytes(serialization.Encoding.PEM)
    encoded = base64.b64encode(pem).decode()
    return {
        "metadata": {"name": "r", "creationTimestamp": "2026-05-01T12:00:00Z"},
        "spec": {"request": encoded, "signerName": signer, "usages": usages, **spec},
    }


NODE = csr("system:node:n1", ("system:nodes",))
SERVING = csr("system:node:n1", ("system:nodes",), (x509.DNSName("n1"), ADDRESS))
MAIL = x509.RFC822Name("a@example.org")
URI = x509.UniformResourceIdentifier("spiffe://x")


@pytest.mark.parametrize(
    ("signer", "parsed", "usages", "objection"),
    [
        (API_CLIENT, csr("ann"), ["client auth"], ""),
        (API_CLIENT, csr("ann"), SERVER, "invalid usage for client certificate: server auth"),
        (
            API_CLIENT,
            csr("ann"),
            ["digital signature"],
            "missing required usage for client certificate: client auth",
        ),
        (KUBELET_CLIENT, NODE, CLIENT, ""),
        (KUBELET_CLIENT, NODE, ["digital signature", "client auth"], ""),
        (
            KUBELET_CLIENT,
            NODE,
            ["client auth"],
            "usages did not match [client auth digital signature key encipherment]",
        ),
        (KUBELET_CLIENT, csr("system:node:n1"), CLIENT, "subject organization is not system:nodes"),
        (
            KUBELET_CLIENT,
            csr("n1", ("system:nodes",)),
            CLIENT,
            "subject common name does not begin with system:node: ",
        ),
        (KUBELET_CLIENT, SERVING, CLIENT, "DNS subjectAltNames are not allowed"),
        (
            KUBELET_CLIENT,
            csr("system:node:n1", ("system:nodes",), (ADDRESS,)),
            CLIENT,
            "IP subjectAltNames are not allowed",
        ),
        (KUBELET_SERVING, SERVING, SERVER, ""),
        (KUBELET_SERVING, NODE, SERVER, "DNS or IP subjectAltName is required"),
        (
            KUBELET_SERVING,
            csr("system:node:n1", ("system:nodes",), (ADDRESS, MAIL)),
            SERVER,
            "Email subjectAltNames are not allowed",
        ),
        (
            KUBELET_SERVING,
            csr("system:node:n1", ("system:nodes",), (ADDRESS, URI)),
            SERVER,
            "URI subjectAltNames are not allowed",
        ),
        (
            KUBELET_SERVING,
            SERVING,
            CLIENT,
            "usages did not match [digital signature key encipherment server auth]",
        ),
        (LEGACY_UNKNOWN, csr("anything"), ["any"], ""),
    ],
)
def test_what_a_signer_signs(signer: str, parsed: Any, usages: list[str], objection: str) -> None:
    assert SIGNERS[signer](parsed, usages) == objection


@pytest.mark.parametrize(
    ("asked", "begin_minutes", "seconds"),
    [
        pytest.param(None, -5, YEAR.total_seconds() - 300, id="the longest"),
        pytest.param(86_400, -5, 86_400 - 300, id="a day"),
        pytest.param(3_600, -5, 3_600, id="an hour is not made shorter"),
        pytest.param(10, -5, 600, id="at least ten minutes"),
        pytest.param(10**9, -5, YEAR.total_seconds() - 300, id="no longer than the longest"),
    ],
)
def test_how_long_a_certificate_is_good(
    asked: int | None, begin_minutes: int, seconds: float
) -> None:
    begin, end = lifetime(NOW, asked, YEAR, NOW + 10 * YEAR)
    assert begin - NOW == datetime.timedelta(minutes=begin_minutes)
    assert (end - NOW).total_seconds() == seconds


def test_no_certificate_outlives_its_authority() -> None:
    ends = NOW + datetime.timedelta(days=1)
    assert lifetime(NOW, None, YEAR, ends)[1] == ends


def authority() -> Authority:
    key, name = ec.generate_private_key(ec.SECP256R1()), csr("authority").subject
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + 10 * YEAR)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def test_a_certificate_has_what_was_asked_for_and_no_more() -> None:
    signer, asked = authority(), request(SERVING, KUBELET_SERVING, SERVER)
    signed = answer(signer, asked, YEAR, NOW, "2026-05-01T12:00:00Z")
    pem = base64.b64decode(signed["status"]["certificate"])
    certificate = x509.load_pem_x509_certificate(pem)
    certificate.verify_directly_issued_by(signer.certificate)
    assert certificate.subject == SERVING.subject
    extensions = certificate.extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == [x509.DNSName("n1"), ADDRESS]
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.SERVER_AUTH]
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.key_encipherment) == (True, True)
    assert (usage.key_cert_sign, usage.crl_sign) == (False, False)


def test_what_is_not_signed_fails_with_the_reason() -> None:
    asked = request(NODE, KUBELET_SERVING, SERVER)
    failed = answer(authority(), asked, YEAR, NOW, "2026-05-01T12:00:00Z")
    (condition,) = failed["status"]["conditions"]
    assert (condition["type"], condition["reason"]) == ("Failed", "SignerValidationFailure")
    assert condition["message"] == "DNS or IP subjectAltName is required"
    assert "certificate" not in failed["status"]


def condition(kind: str, stamp: str = "2026-05-01T12:00:00Z") -> Object:
    return {"type": kind, "status": "True", "lastUpdateTime": stamp}


@pytest.mark.parametrize(
    ("kinds", "wanted"),
    [((), False), (("Approved",), True), (("Denied",), False), (("Approved", "Failed"), False)],
)
def test_only_what_is_approved_is_signed(kinds: tuple[str, ...], wanted: bool) -> None:
    asked = request(NODE, KUBELET_CLIENT, CLIENT)
    asked["status"] = {"conditions": [condition(kind) for kind in kinds]}
    assert wants_signature(asked) is wanted


@pytest.mark.parametrize(
    ("asked", "subresources"),
    [
        (request(NODE, KUBELET_CLIENT, CLIENT, username="boot"), ["nodeclient"]),
        (
            request(NODE, KUBELET_CLIENT, CLIENT, username="system:node:n1"),
            ["selfnodeclient", "nodeclient"],
        ),
        (request(SERVING, KUBELET_SERVING, SERVER, username="system:node:n1"), []),
        (request(NODE, API_CLIENT, CLIENT, username="system:node:n1"), []),
        (request(SERVING, KUBELET_CLIENT, CLIENT, username="boot"), []),
    ],
)
def test_only_client_certificates_of_nodes_are_approved(
    asked: Object, subresources: list[str]
) -> None:
    assert [name for name, _ in questions(asked)] == subresources


@pytest.mark.parametrize(
    ("kinds", "has_certificate", "minutes", "done"),
    [
        ((), False, 24 * 60, False),
        ((), False, 24 * 60 + 1, True),
        (("Approved",), True, 60, False),
        (("Approved",), True, 61, True),
        (("Approved",), False, 24 * 60, False),
        (("Approved",), False, 24 * 60 + 1, True),
        (("Denied",), False, 61, True),
        (("Denied",), False, 60, False),
        (("Approved", "Failed"), False, 61, True),
    ],
)
def test_when_a_request_goes(
    kinds: tuple[str, ...], has_certificate: bool, minutes: int, done: bool
) -> None:
    asked = request(NODE, KUBELET_CLIENT, CLIENT)
    asked["status"] = {"conditions": [condition(kind) for kind in kinds]}
    if has_certificate:
        asked = answer(authority(), asked, YEAR, NOW, "")
    assert is_done(asked, NOW + datetime.timedelta(minutes=minutes)) is done


def test_a_request_goes_when_its_certificate_has_expired() -> None:
    asked = request(NODE, KUBELET_CLIENT, CLIENT)
    signed = answer(authority(), asked, datetime.timedelta(minutes=20), NOW, "")
    assert not is_done(signed, NOW)
    assert is_done(signed, NOW + datetime.timedelta(minutes=21))
