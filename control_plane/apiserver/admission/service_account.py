"""ServiceAccount: every pod runs as a service account and, unless told otherwise, gets its token.

The token, the cluster's CA and the namespace's name come in one projected volume that is mounted in
every container which has nothing at that path.
"""

import asyncio

from control_plane.api.names import random_suffix
from control_plane.api.objects import Object, annotations_of
from control_plane.api.resources import PODS, SERVICEACCOUNTS
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review

DEFAULT_ACCOUNT = "default"
MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
VOLUME_PREFIX = "kube-api-access-"
TOKEN_SECONDS = 3607
MIRROR_ANNOTATION = "kubernetes.io/config.mirror"
LOOKUP_ATTEMPTS = 10
LOOKUP_PAUSE_SECONDS = 0.15


class ServiceAccountAdmission(Plugin):
    """Fills in the account and what comes with it."""

    async def admit(self, review: Review) -> None:
        """Complete a new pod; mirror pods must not use accounts."""
        if not review.is_for(PODS, Operation.CREATE):
            return
        pod = review.obj
        spec = pod.setdefault("spec", {})
        if MIRROR_ANNOTATION in annotations_of(pod):
            if spec.get("serviceAccountName"):
                raise review.forbidden("a mirror pod may not reference service accounts")
            return
        name = spec.get("serviceAccountName") or spec.get("serviceAccount") or DEFAULT_ACCOUNT
        spec["serviceAccountName"] = spec["serviceAccount"] = name
        account = await self._account(review, name)
        if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
            spec["imagePullSecrets"] = [dict(ref) for ref in account["imagePullSecrets"]]
        if _wants_token(spec, account):
            mount_token(spec)

    async def _account(self, review: Review, name: str) -> Object:
        """The account; the default one of a young namespace may take a moment to appear."""
        for _ in range(LOOKUP_ATTEMPTS if name == DEFAULT_ACCOUNT else 1):
            account = await self.collections.find(SERVICEACCOUNTS, review.namespace, name)
            if account is not None:
                return account
            await asyncio.sleep(LOOKUP_PAUSE_SECONDS)
        raise review.forbidden(
            f"error looking up service account {review.namespace}/{name}: "
            f'serviceaccount "{name}" not found'
        )


def _wants_token(spec: Object, account: Object) -> bool:
    for holder in (spec, account):
        if holder.get("automountServiceAccountToken") is not None:
            return bool(holder["automountServiceAccountToken"])
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
