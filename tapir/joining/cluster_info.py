"""What everybody may know of a cluster: the ConfigMap `cluster-info`, and the hash of its CA.

    kube-public/cluster-info   data.kubeconfig: the server's URL and the CA, no credentials

The hash is that of kubeadm: sha256 of the CA's public key. Pure.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization

NAMESPACE, NAME = "kube-public", "cluster-info"
PATH = f"/api/v1/namespaces/{NAMESPACE}/configmaps/{NAME}"
PREFIX = "sha256:"


class ClusterInfoError(ValueError):
    """It is no cluster-info, or not that of the cluster that was meant."""


def ca_hash(ca_pem: bytes) -> str:
    """Return "sha256:..." of the public key of the first certificate."""
    key = x509.load_pem_x509_certificate(ca_pem).public_key()
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return PREFIX + hashlib.sha256(der).hexdigest()


def cluster_kubeconfig(server: str, ca_pem: bytes, token: str = "") -> bytes:
    """Return a kubeconfig, without credentials if there is no token."""
    cluster = {
        "server": server,
        "certificate-authority-data": base64.b64encode(ca_pem).decode(),
    }
    name = "bootstrap" if token else ""
    document: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
    }
    if token:
        document |= {
            "users": [{"name": name, "user": {"token": token}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        }
    return yaml.safe_dump(document, sort_keys=False).encode()


def ca_of(config_map: Mapping[str, Any], wanted_hash: str) -> bytes:
    """Return the CA of a cluster-info; raises ClusterInfoError if another was meant."""
    try:
        document = yaml.safe_load(config_map["data"]["kubeconfig"])
        encoded = document["clusters"][0]["cluster"]["certificate-authority-data"]
        pem = base64.b64decode(encoded)
        found = ca_hash(pem)
    except (KeyError, IndexError, TypeError, ValueError, binascii.Error, yaml.YAMLError) as error:
        raise ClusterInfoError("it has no kubeconfig with a CA") from error
    if not hmac.compare_digest(found, wanted_hash.lower()):
        raise ClusterInfoError(f"its CA is {found}, not {wanted_hash}: it is another cluster")
    return pem
