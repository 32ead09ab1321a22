"""Asks the API server for a certificate, and waits until somebody has signed it.

Source of names, usages and waiting: kubernetes pkg/kubelet/certificate and client-go's
util/certificate, v1.35.
"""

from __future__ import annotations

import asyncio
import base64
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from control_plane.api.objects import Object, dig, name_of
from control_plane.api.resources import CERTIFICATESIGNINGREQUESTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control_plane.client.client import ApiClient

NODES = "system:nodes"
CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client-kubelet"
SERVING_SIGNER = "kubernetes.io/kubelet-serving"
SECONDS_BETWEEN_LOOKS = 1.0


class NotIssuedError(Exception):
    """Somebody has denied the certificate, or it cannot be signed; the text says why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A certificate to ask for; names and addresses are what a server answers for."""

    node_name: str
    signer: str
    purpose: str  # "client auth" or "server auth"
    names: Sequence[str] = ()
    addresses: Sequence[str] = ()


def client_certificate(node_name: str) -> Wanted:
    """What a kubelet shows to the API server."""
    return Wanted(node_name, CLIENT_SIGNER, "client auth")


def serving_certificate(node_name: str, addresses: Sequence[str]) -> Wanted:
    """What a kubelet shows to its own clients."""
    return Wanted(node_name, SERVING_SIGNER, "server auth", (node_name,), tuple(addresses))


def new_key() -> ec.EllipticCurvePrivateKey:
    """Return a new key."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a key in PKCS#8 PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def subject_of_node(node_name: str) -> x509.Name:
    """Return the subject of all certificates of a node."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, NODES),
            x509.NameAttribute(NameOID.COMMON_NAME, f"system:node:{node_name}"),
        ]
    )


def alternative_names(wanted: Wanted) -> x509.SubjectAlternativeName | None:
    """Return the names and addresses as X.509 has them; None for a client."""
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in wanted.names]
    names += [x509.IPAddress(ipaddress.ip_address(one)) for one in wanted.addresses]
    return x509.SubjectAlternativeName(names) if names else None


def signing_request(wanted: Wanted, key: ec.EllipticCurvePrivateKey) -> Object:
    """Return the object to create."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        subject_of_node(wanted.node_name)
    )
    if names := alternative_names(wanted):
        builder = builder.add_extension(names, critical=False)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return {
        "apiVersion": CERTIFICATESIGNINGREQUESTS.api_version,
        "kind": CERTIFICATESIGNINGREQUESTS.kind,
        "metadata": {"generateName": "csr-"},
        "spec": {
            "request": base64.b64encode(pem).decode(),
            "signerName": wanted.signer,
            "usages": ["digital signature", wanted.purpose],
        },
    }


async def issued(client: ApiClient, wanted: Wanted, key: ec.EllipticCurvePrivateKey) -> bytes:
    """Ask for the certificate and return it in PEM; waits as long as nobody has decided.

    Raises NotIssuedError, ApiError or OSError.
    """
    created = await client.create(CERTIFICATESIGNINGREQUESTS, signing_request(wanted, key))
    name = name_of(created)
    while True:
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
        request = await client.get(CERTIFICATESIGNINGREQUESTS, name)
        if certificate := dig(request, "status", "certificate", default=""):
            return base64.b64decode(certificate)
        for condition in dig(request, "status", "conditions", default=[]):
            if condition.get("type") in ("Denied", "Failed"):
                said = condition.get("message") or condition.get("reason") or "no reason given"
                kind = condition["type"].lower()
                raise NotIssuedError(f"certificate signing request {name} is {kind}: {said}")
