"""Certificates: made, shown, kept in Secrets, and renewed."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

from cryptography import x509

from tests.clients.cert_manager.objects import APP, LABELS, certificate, issuer
from tests.clients.cert_manager.stage import Stage, has
from tests.support.wait import wait_until

ISSUING_CONTROLLER = "cert-manager-certificates-issuing"
REQUESTER = "system:serviceaccount:cert-manager:cert-manager"
HEADERS = {
    "certificate": "NAME READY SECRET ISSUER STATUS AGE",
    "issuer": "NAME READY STATUS AGE",
    "certificaterequest": "NAME APPROVED DENIED READY ISSUER REQUESTER STATUS AGE",
}
ROWS = {
    "certificate": "web True web-tls ca-issuer Certificate is up to date and has not expired",
    "issuer": "ca-issuer True Signing CA verified",
    "certificaterequest": f"web-1 True True ca-issuer {REQUESTER}",
}


def make_authority(stage: Stage) -> None:
    """A self-signed certificate becomes Ready, and then an issuer that signs with it."""
    stage.apply(certificate("ca", "self-signed", isCA=True, commonName="shop-ca"))
    stage.until_ready("certificate", "ca", "-n", APP)
    stage.apply(issuer("ca-issuer", ca={"secretName": "ca-tls"}))
    stage.until_ready("issuer", "ca-issuer", "-n", APP)


def issue(stage: Stage) -> None:
    """A certificate of the CA becomes Ready; what its Secret has is signed by the CA's key."""
    stage.apply(certificate("web", "ca-issuer"))
    stage.until_ready("certificate", "web", "-n", APP)
    made = x509.load_pem_x509_certificate(_served(stage, "web-tls"))
    made.verify_directly_issued_by(x509.load_pem_x509_certificate(_served(stage, "ca-tls")))
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["shop.example"], names


def _served(stage: Stage, secret: str) -> bytes:
    return base64.b64decode(stage.get("secret", secret, "-n", APP)["data"]["tls.crt"])


def show_columns(stage: Stage) -> None:
    """`kubectl get -o wide` has the CRDs' columns."""
    for kind, header in HEADERS.items():
        first, *rows = (
            " ".join(line.split())
            for line in stage.kubectl("get", kind, "-n", APP, "-o", "wide").splitlines()
        )
        assert first == header, first
        assert any(row.startswith(ROWS[kind]) for row in rows), rows


def manage_secret(stage: Stage) -> None:
    """The Secret was made by server-side apply, in its controller's name, as the template says."""
    metadata = stage.get("secret", "web-tls", "-n", APP, "--show-managed-fields")["metadata"]
    owned = [row for row in metadata["managedFields"] if row["manager"] == ISSUING_CONTROLLER]
    assert [row["operation"] for row in owned] == ["Apply"], metadata["managedFields"]
    assert "f:tls.crt" in owned[0]["fieldsV1"]["f:data"], owned
    assert LABELS.items() <= metadata["labels"].items(), metadata["labels"]


def renew(stage: Stage) -> None:
    """A condition Issuing, put by an update of the status, has the certificate issued anew."""
    wait_until(lambda: _is_settled(stage), "the first issuance to end")
    before = _served(stage, "web-tls")
    found = stage.get("certificate", "web", "-n", APP)
    found["status"]["conditions"].append(_issuing(found))
    words = ("replace", "--subresource=status", "-f", "-")
    stage.kubectl(*words, stdin=json.dumps(found))
    wait_until(lambda: _served(stage, "web-tls") != before, "another certificate")
    wait_until(lambda: _is_settled(stage), "the certificate to be ready again")
    assert stage.get("certificate", "web", "-n", APP)["status"]["revision"] == 2


def _issuing(found: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "Issuing",
        "status": "True",
        "reason": "ManuallyTriggered",
        "message": "asked for by hand",
        "lastTransitionTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "observedGeneration": found["metadata"]["generation"],
    }


def _is_settled(stage: Stage) -> bool:
    found = stage.get("certificate", "web", "-n", APP)
    return has(found, "Ready") and not has(found, "Issuing")
