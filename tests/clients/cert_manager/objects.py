"""What a user of cert-manager writes, in the namespace `app`."""

import base64
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

APP = "app"
GROUP = "cert-manager.io"
LABELS = {"team": "shop"}


def certificate(name: str, issuer: str, **spec: Any) -> dict[str, Any]:
    """A Certificate that `issuer` is to sign, in the Secret `NAME-tls`; `spec` overrides."""
    return _object("Certificate", name, {
        "secretName": f"{name}-tls",
        "dnsNames": ["shop.example"],
        "secretTemplate": {"labels": LABELS},
        "issuerRef": {"name": issuer, "kind": "Issuer", "group": GROUP},
        **spec,
    })  # fmt: skip


def issuer(name: str, **spec: Any) -> dict[str, Any]:
    """An Issuer of the kind that `spec` has."""
    return _object("Issuer", name, spec)


def certificate_request(name: str, issuer: str) -> dict[str, Any]:
    """A CertificateRequest as a person writes it: nothing says who asks."""
    return _object("CertificateRequest", name, {
        "request": base64.b64encode(_signing_request()).decode(),
        "issuerRef": {"name": issuer, "kind": "Issuer", "group": GROUP},
        "usages": ["digital signature", "server auth"],
    })  # fmt: skip


def cluster_issuer(name: str, finalizer: str) -> dict[str, Any]:
    """A self-signed ClusterIssuer that only who removes `finalizer` lets go."""
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "ClusterIssuer",
        "metadata": {"name": name, "finalizers": [finalizer]},
        "spec": {"selfSigned": {}},
    }


def _object(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": APP}
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata, "spec": spec}


def _signing_request() -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "by-hand.example")])
    alternative = x509.SubjectAlternativeName([x509.DNSName("by-hand.example")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    asked = builder.add_extension(alternative, critical=False)
    signed = asked.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)
