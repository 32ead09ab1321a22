"""Registry credentials from a pod's imagePullSecrets. `match_credentials` is pure.

Called by images.py. Source: kubernetes pkg/credentialprovider; keys are tried in reverse lexical
order, host globs match one DNS label each.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from control_plane.api.objects import Object
    from node.kubelet.volumes.base import ObjectReader

DOCKER_HUB = "index.docker.io"
Credentials = Mapping[str, str]


async def find_credentials(
    pod: Object, reference: str, reader: ObjectReader
) -> tuple[list[Credentials], list[str]]:
    """Return what fits the image's registry, best first, and the names of missing secrets."""
    found: list[Credentials] = []
    missing: list[str] = []
    namespace = pod["metadata"].get("namespace", "")
    for entry in pod["spec"].get("imagePullSecrets") or ():
        name = entry.get("name", "")
        secret = await reader.get("secret", namespace, name)
        if secret is None:
            missing.append(name)
        else:
            found += match_credentials(_auths(secret), reference)
    return found, missing


def match_credentials(auths: Mapping[str, Object], reference: str) -> list[Credentials]:
    """Return the credentials whose key covers the image reference."""
    host, path = _registry_of(reference)
    keys = [key for key in sorted(auths, reverse=True) if _covers(key, host, path)]
    return [login for key in keys if (login := _login(auths[key], host))]


def _auths(secret: Object) -> dict[str, Object]:
    data = secret.get("data") or {}
    try:
        if text := data.get(".dockerconfigjson"):
            return dict(orjson.loads(base64.b64decode(text)).get("auths") or {})
        if text := data.get(".dockercfg"):
            return dict(orjson.loads(base64.b64decode(text)))
    except (orjson.JSONDecodeError, binascii.Error):
        return {}
    return {}


def _registry_of(reference: str) -> tuple[str, str]:
    first, slash, rest = reference.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return first, rest
    return DOCKER_HUB, reference


def _covers(key: str, host: str, path: str) -> bool:
    key = key.removeprefix("https://").removeprefix("http://")
    pattern, _, prefix = key.partition("/")
    for version in ("v1", "v2"):
        prefix = prefix.strip("/").removeprefix(version).strip("/")
    wanted, have = pattern.partition(":"), host.partition(":")
    if wanted[2] != have[2] or wanted[0].count(".") != have[0].count("."):
        return False
    labels = zip(wanted[0].split("."), have[0].split("."), strict=True)
    return all(fnmatchcase(label, glob) for glob, label in labels) and path.startswith(prefix)


def _login(auth: Object, host: str) -> Credentials:
    user, password = auth.get("username", ""), auth.get("password", "")
    if packed := auth.get("auth"):
        try:
            user, _, password = base64.b64decode(packed).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return {}
    if not user:
        return {}
    return {"username": user, "password": password, "serveraddress": host}
