"""The serviceaccount-token controller: secrets of type service-account-token bear a token.

Such a secret names its account in an annotation; it gets a token without an end, the cluster's CA
and its namespace, and goes when its account goes. Source: kubernetes
pkg/controller/serviceaccount/tokens_controller.go.
"""

import base64
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from control_plane.api.errors import Conflict, NotFound
from control_plane.api.legacy_tokens import ACCOUNT_NAME, ACCOUNT_UID, SECRET_TYPE
from control_plane.api.objects import (
    Object,
    annotations_of,
    deep_copy,
    dig,
    key_of,
    name_of,
    namespace_of,
    uid_of,
)
from control_plane.api.resources import SECRETS, SERVICEACCOUNTS
from control_plane.api.token_keys import algorithm_of, key_id
from control_plane.controllers.cluster import Cluster
from control_plane.controllers.config import ConfigError, ControllersConfig
from control_plane.controllers.root_ca import read_ca
from control_plane.controllers.runtime import DONE, Controller, Result
from control_plane.controllers.sources import Change, Watches

ISSUER = "kubernetes/serviceaccount"
CLAIMS = "kubernetes.io/serviceaccount"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class Issuing(NamedTuple):
    """What goes into secrets: the key that signs, None for no tokens, and the CA as PEM."""

    key: PrivateKey | None
    ca: str


def account_token_secrets(config: ControllersConfig) -> Controller:
    """Return the controller; without a key it only removes secrets whose account is gone."""
    path = config.service_account_private_key_file
    issuing = Issuing(read_key(path) if path is not None else None, read_ca(config))
    return Controller(
        "serviceaccount-token-controller",
        "serviceaccount-token-controller",
        partial(reconcile, issuing),
        sources=(
            Watches(SECRETS, token_secret),
            Watches(SERVICEACCOUNTS, secrets_of_account),
        ),
        max_retries=10,
    )


def read_key(path: Path) -> PrivateKey:
    """Read a PEM private key; raises ConfigError."""
    flag = f"--service-account-private-key-file {path}"
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise ConfigError(f"{flag}: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{flag} is not a PEM private key") from error
    if not isinstance(key, PrivateKey):
        raise ConfigError(f"{flag}: sign tokens with an RSA or EC key")
    return key


def token_secret(cluster: Cluster, change: Change) -> Iterable[str]:
    """Return the key of a secret that is to have a token."""
    del cluster
    if change.event != "delete" and change.latest.get("type") == SECRET_TYPE:
        yield key_of(change.latest)


def secrets_of_account(cluster: Cluster, change: Change) -> Iterable[str]:
    """Return the keys of the secrets of an account that came or went."""
    account = change.latest
    for secret in cluster.list(SECRETS, namespace_of(account)):
        is_its = annotations_of(secret).get(ACCOUNT_NAME) == name_of(account)
        if is_its and secret.get("type") == SECRET_TYPE:
            yield key_of(secret)


def claims(secret: Object, account: Object) -> dict[str, str]:
    """What the token of a secret says."""
    namespace, name = namespace_of(secret), name_of(account)
    return {
        "iss": ISSUER,
        f"{CLAIMS}/namespace": namespace,
        f"{CLAIMS}/secret.name": name_of(secret),
        f"{CLAIMS}/service-account.name": name,
        f"{CLAIMS}/service-account.uid": uid_of(account),
        "sub": f"system:serviceaccount:{namespace}:{name}",
    }


def plan(issuing: Issuing, secret: Object, account: Object) -> Object | None:
    """Return the secret as it should be, None when it is."""
    data: Mapping[str, str] = secret.get("data") or {}
    wanted = {"ca.crt": _base64(issuing.ca), "namespace": _base64(namespace_of(secret))}
    if not data.get("token") and issuing.key is not None:
        wanted["token"] = _base64(_signed(issuing.key, claims(secret, account)))
    uid = {ACCOUNT_UID: uid_of(account)}
    if wanted.items() <= data.items() and uid.items() <= annotations_of(secret).items():
        return None
    changed = deep_copy(secret)
    changed["data"] = {**data, **wanted}
    changed["metadata"]["annotations"] = annotations_of(secret) | uid
    return changed


async def reconcile(issuing: Issuing, key: str, cluster: Cluster) -> Result:
    """Fill the secret `key`, or remove it when its account is gone."""
    secret = cluster.get(SECRETS, key)
    if (
        secret is None
        or secret.get("type") != SECRET_TYPE
        or dig(secret, "metadata", "deletionTimestamp")
    ):
        return DONE
    annotations = annotations_of(secret)
    account = await _account(cluster, secret, annotations.get(ACCOUNT_NAME, ""))
    uid = annotations.get(ACCOUNT_UID, "")
    if account is None or (uid and uid != uid_of(account)):
        await _remove(cluster, secret)
        return DONE
    changed = plan(issuing, secret, account)
    if changed is not None:
        try:
            await cluster.client.update(SECRETS, changed)
        except (Conflict, NotFound):
            return DONE  # its change, or its end, brings it here again
    return DONE


async def _account(cluster: Cluster, secret: Object, name: str) -> Object | None:
    """The secret's account, asked for where the cache knows of none."""
    if not name:
        return None
    found = cluster.get(SERVICEACCOUNTS, f"{namespace_of(secret)}/{name}")
    if found is not None:
        return found
    try:
        return await cluster.client.get(SERVICEACCOUNTS, name, namespace_of(secret))
    except NotFound:
        return None


async def _remove(cluster: Cluster, secret: Object) -> None:
    metadata = secret["metadata"]
    preconditions = {"uid": uid_of(secret), "resourceVersion": metadata["resourceVersion"]}
    try:
        await cluster.client.delete(
            SECRETS,
            name_of(secret),
            namespace_of(secret),
            options={"preconditions": preconditions},
        )
    except (Conflict, NotFound):
        return


def _signed(key: PrivateKey, claims: Mapping[str, str]) -> str:
    public = key.public_key()
    headers = {"kid": key_id(public)}
    return jwt.encode(dict(claims), key, algorithm=algorithm_of(public), headers=headers)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
