"""Certificates API: requests are approved, signed and used, on a real API server.

Named after the conformance tests of [sig-auth] Certificates API.
"""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from control_plane.api.resources import (
    BUILT_IN,
    CERTIFICATESIGNINGREQUESTS,
    CLUSTERROLEBINDINGS,
)
from control_plane.client.client import ApiClient
from control_plane.client.config import ClientConfig
from control_plane.pki.cluster import ClusterPki
from tests.control_plane.controllers.stage import Stage, staged
from tests.support.etcd import Etcd

SELF_REVIEWS = BUILT_IN.named("authentication.k8s.io", "v1", "selfsubjectreviews")
Object = dict[str, Any]


@pytest.fixture(scope="module")
def certified_etcd() -> Any:
    with Etcd() as etcd:
        yield etcd


@pytest.fixture
async def stage(certified_etcd: Etcd, tmp_path: Path) -> AsyncIterator[Stage]:
    pair = ClusterPki(tmp_path).pair("ca")
    flags = {
        "cluster_signing_cert_file": pair.certificate,
        "cluster_signing_key_file": pair.key,
        "controllers": (
            "certificatesigningrequest-approving-controller",
            "certificatesigningrequest-signing-controller",
        ),
    }
    async with staged(certified_etcd.endpoint, tmp_path, kubelet=False, **flags) as stage:
        yield stage


def signing_request(name: str, subject: str, groups: tuple[str, ...], signer: str) -> Any:
    """A request and the key that it is for."""
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, subject))
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(attributes))
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    obj = {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": name},
        "spec": {
            "request": base64.b64encode(pem).decode(),
            "signerName": signer,
            "expirationSeconds": 3600,
            "usages": ["digital signature", "client auth"],
        },
    }
    return obj, key


async def answered(client: ApiClient, name: str) -> Object:
    """The request's status, once it has a certificate or has failed."""
    async with asyncio.timeout(90):
        while True:
            found = await client.get(CERTIFICATESIGNINGREQUESTS, name)
            status: Object = found.get("status") or {}
            types = {one["type"] for one in status.get("conditions", [])}
            if status.get("certificate") or "Failed" in types:
                return status
            await asyncio.sleep(0.1)


def holder(stage: Stage, status: Object, key: ec.EllipticCurvePrivateKey) -> ClientConfig:
    """Whoever has the certificate and its key."""
    admin = ClientConfig.from_kubeconfig(stage.server.kubeconfig)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return ClientConfig(
        admin.server, admin.ca_pem, base64.b64decode(status["certificate"]), private
    )


async def test_should_support_building_a_client_with_a_csr(stage: Stage) -> None:
    client, name = stage.client, "ann"
    obj, key = signing_request(name, "ann", ("devs",), "kubernetes.io/kube-apiserver-client")
    created = await client.create(CERTIFICATESIGNINGREQUESTS, obj)
    assert created["spec"]["username"] == "kubernetes-admin"

    approval = {"type": "Approved", "status": "True", "reason": "E2E", "message": "as asked"}
    created["status"] = {"conditions": [approval]}
    await client.update(CERTIFICATESIGNINGREQUESTS, created, subresource="approval")
    status = await answered(client, name)

    async with ApiClient(holder(stage, status, key)) as mine:
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        assert SELF_REVIEWS is not None
        me = await mine.create(SELF_REVIEWS, {**review, "metadata": {}})
    assert me["status"]["userInfo"]["username"] == "ann"
    assert "devs" in me["status"]["userInfo"]["groups"]


async def test_a_kubelets_request_is_approved_for_who_may_and_signed(stage: Stage) -> None:
    client, name = stage.client, "node-csr"
    obj, key = signing_request(
        name,
        "system:node:n7",
        ("system:nodes",),
        "kubernetes.io/kube-apiserver-client-kubelet",
    )
    await client.create(CERTIFICATESIGNINGREQUESTS, obj)
    status = await answered(client, name)
    (approved,) = status["conditions"]
    assert (approved["type"], approved["reason"]) == ("Approved", "AutoApproved")
    text = "Auto approving kubelet client certificate after SubjectAccessReview."
    assert approved["message"] == text

    async with ApiClient(holder(stage, status, key)) as node:
        again, _ = signing_request(
            "again",
            "system:node:n7",
            ("system:nodes",),
            "kubernetes.io/kube-apiserver-client-kubelet",
        )
        await client.create(CLUSTERROLEBINDINGS, rotation_binding())
        await node.create(CERTIFICATESIGNINGREQUESTS, again)
    renewed = await answered(client, "again")
    own = "Auto approving self kubelet client certificate after SubjectAccessReview."
    assert renewed["conditions"][0]["message"] == own


def rotation_binding() -> Object:
    """What kubeadm gives to nodes, so that they renew their certificates."""
    role = "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient"
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "nodes-renew"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": group, "kind": "Group", "name": "system:nodes"}],
    }


async def test_what_a_signer_does_not_sign_fails(stage: Stage) -> None:
    client, name = stage.client, "wrong"
    obj, _ = signing_request(name, "n7", ("system:nodes",), "kubernetes.io/kubelet-serving")
    created = await client.create(CERTIFICATESIGNINGREQUESTS, obj)
    created["status"] = {"conditions": [{"type": "Approved", "status": "True", "reason": "Asked"}]}
    await client.update(CERTIFICATESIGNINGREQUESTS, created, subresource="approval")
    status = await answered(client, name)
    failed = next(one for one in status["conditions"] if one["type"] == "Failed")
    assert failed["reason"] == "SignerValidationFailure"
    assert failed["message"] == "DNS or IP subjectAltName is required"
