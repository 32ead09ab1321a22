"""Kubeconfig files: where the API server is and who the holder is, in one file of mode 0600."""

import base64
from pathlib import Path

import yaml

from control_plane.pki.authority import KeyPair, PkiError
from control_plane.pki.files import write_file


def write_kubeconfig(path: Path, server: str, ca: Path, pair: KeyPair) -> None:
    """Write a kubeconfig at `path` with the certificates inside; leave equal content alone."""
    content = yaml.safe_dump(_document(server, ca, pair), sort_keys=False).encode()
    if not (path.exists() and path.read_bytes() == content):
        write_file(path, content, 0o600)


def server_of(path: Path) -> str:
    """The API server's URL in a kubeconfig that `write_kubeconfig` made; PkiError for others."""
    try:
        document = yaml.safe_load(path.read_bytes())
        return str(document["clusters"][0]["cluster"]["server"])
    except (OSError, yaml.YAMLError, LookupError, TypeError) as error:
        raise PkiError(f"{path} is no kubeconfig of this cluster: remove it") from error


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
