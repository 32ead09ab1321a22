"""ServiceAccount: every pod runs as a service account and, unless told otherwise, gets its token.

The token, the cluster's CA and the namespace's name come in one projected volume that is mounted in
every container which has nothing at that path. An account with the annotation
kubernetes.io/enforce-mountable-secrets lets its pods use only the secrets that it lists.
"""

import asyncio
from typing import NamedTuple

from control_plane.api.names import random_suffix
from control_plane.api.objects import Object, annotations_of, dig
from control_plane.api.resources import PODS, SERVICEACCOUNTS
from control_plane.api.secret_references import (
    Mountable,
    forbidden_in_ephemeral,
    forbidden_in_pod,
    projects_tokens,
    refers_to_secrets,
)
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review
from control_plane.apiserver.auth.authz import Authorizer
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.follower import Followed

DEFAULT_ACCOUNT = "default"
MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
VOLUME_PREFIX = "kube-api-access-"
TOKEN_SECONDS = 3607
MIRROR_ANNOTATION = "kubernetes.io/config.mirror"
LOOKUP_ATTEMPTS = 10
LOOKUP_PAUSE_SECONDS = 0.15


class Account(NamedTuple):
    """What pods get from a service account."""

    mounts_token: bool | None
    pull_secrets: tuple[Object, ...]
    mountable: Mountable

    @classmethod
    def of(cls, obj: Object) -> "Account":
        """Read a ServiceAccount."""
        mounts = obj.get("automountServiceAccountToken")
        return cls(mounts, tuple(obj.get("imagePullSecrets") or ()), Mountable.of(obj))


class ServiceAccountAdmission(Plugin):
    """Fills in the account and what comes with it."""

    concerns = (PODS,)

    def __init__(self, collections: Collections, authorizer: Authorizer) -> None:
        """Follow the accounts."""
        super().__init__(collections, authorizer)
        self._accounts: Followed[Account] = Followed(collections, SERVICEACCOUNTS, Account.of)

    async def admit(self, review: Review) -> None:
        """Complete a new pod, a mirror pod excepted, and refuse it before others look at it."""
        if not review.is_for(PODS, Operation.CREATE):
            return
        if not _is_mirror(review.obj):
            await self._complete(review)
        await self.check(review)

    async def _complete(self, review: Review) -> None:
        spec = review.obj.setdefault("spec", {})
        name = spec.get("serviceAccountName") or spec.get("serviceAccount") or DEFAULT_ACCOUNT
        spec["serviceAccountName"] = spec["serviceAccount"] = name
        account = await self._account(review, name)
        if not spec.get("imagePullSecrets") and account.pull_secrets:
            spec["imagePullSecrets"] = [dict(ref) for ref in account.pull_secrets]
        if _wants_token(spec, account):
            mount_token(spec)

    async def check(self, review: Review) -> None:
        """Refuse mirror pods with accounts or secrets, and secrets that an account leaves out."""
        if review.is_for(PODS, Operation.CREATE):
            if _is_mirror(review.obj):
                _check_mirror(review)
                return
            forbidden_in = forbidden_in_pod
        elif review.is_for(PODS, Operation.UPDATE, "ephemeralcontainers"):
            forbidden_in = forbidden_in_ephemeral
        else:
            return
        name = dig(review.obj, "spec", "serviceAccountName", default="")
        account = self._accounts.get(review.namespace, name)
        if account is None or not account.mountable.is_enforced:
            return
        text = forbidden_in(review.obj, account.mountable)
        if text:
            raise review.forbidden(text)

    async def _account(self, review: Review, name: str) -> Account:
        """The account; the default one of a young namespace may take a moment to appear."""
        for attempt in range(LOOKUP_ATTEMPTS if name == DEFAULT_ACCOUNT else 1):
            if attempt:
                await asyncio.sleep(LOOKUP_PAUSE_SECONDS)
            account = self._accounts.get(review.namespace, name)
            if account is not None:
                return account
            stored = await self.collections.live(SERVICEACCOUNTS, review.namespace, name)
            if stored is not None:
                return Account.of(stored)
        raise review.forbidden(
            f"error looking up service account {review.namespace}/{name}: "
            f'serviceaccount "{name}" not found'
        )


def _is_mirror(pod: Object) -> bool:
    return MIRROR_ANNOTATION in annotations_of(pod)


def _check_mirror(review: Review) -> None:
    """Refuse what a pod that comes from a node's own file cannot have."""
    pod = review.obj
    if dig(pod, "spec", "serviceAccountName", default=""):
        raise review.forbidden("a mirror pod may not reference service accounts")
    if refers_to_secrets(pod):
        raise review.forbidden("a mirror pod may not reference secrets")
    if projects_tokens(pod):
        raise review.forbidden("a mirror pod may not use ServiceAccountToken volume projections")


def _wants_token(spec: Object, account: Account) -> bool:
    for wish in (spec.get("automountServiceAccountToken"), account.mounts_token):
        if wish is not None:
            return bool(wish)
    return True


def mount_token(spec: Object) -> None:
    """Mount the token volume, in place, into every container without a mount at its path."""
    groups = ((spec.get("initContainers") or []), (spec.get("containers") or []))
    bare = [c for group in groups for c in group if isinstance(c, dict) and not _has_mount(c)]
    if not bare:
        return
    volumes = spec.get("volumes") or []
    named = (str(volume.get("name", "")) for volume in volumes)
    name = next((found for found in named if found.startswith(VOLUME_PREFIX)), "")
    if not name:
        name = VOLUME_PREFIX + random_suffix()
        spec["volumes"] = [*volumes, token_volume(name)]
    mount = {"name": name, "readOnly": True, "mountPath": MOUNT_PATH}
    for container in bare:
        container["volumeMounts"] = [*(container.get("volumeMounts") or []), dict(mount)]


def token_volume(name: str) -> Object:
    """The projected volume of token, CA certificate and namespace."""
    namespace = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
    return {
        "name": name,
        "projected": {
            "defaultMode": 420,
            "sources": [
                {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
                {
                    "configMap": {
                        "name": "kube-root-ca.crt",
                        "items": [{"key": "ca.crt", "path": "ca.crt"}],
                    }
                },
                {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": namespace}]}},
            ],
        },
    }


def _has_mount(container: Object) -> bool:
    mounts = container.get("volumeMounts") or []
    return any(mount.get("mountPath") == MOUNT_PATH for mount in mounts)
