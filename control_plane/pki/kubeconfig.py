"""Kubeconfig files: where the API server is and who the holder is, in one file of mode 0600."""

import base64
from pathlib import Path

import yaml

from control_plane.pki.authority import KeyPair
from control_plane.pki.files import write_file


def write_kubeconfig(path: Path, server: str, ca: Path, pair: KeyPair) -> None:
    """Write a kubeconfig at `path` with the certificates inside; leave equal content alone."""
    content = yaml.safe_dump(_document(server, ca, pair), sort_keys=False).encode()
    if not (path.exists() and path.read_bytes() == content):
        write_file(path, content, 0o600)


def _document(server: str, ca: Path, pair: KeyPair) -> dict[str, object]:
    cluster = {"server": server, "certificate-authority-data": _base64(ca)}
    user = {
        "client-certificate-data": _base64(pair.certificate),
        "client-key-data": _base64(pair.key),
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "tapir", "cluster": cluster}],
        "users": [{"name": "tapir", "user": user}],
        "contexts": [{"name": "tapir", "context": {"cluster": "tapir", "user": "tapir"}}],
        "current-context": "tapir",
    }


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
