"""Where pods refer to secrets: what of that a service account does not allow, and any at all.

Called by the ServiceAccount admission plugin. Pure. Source: v1.35 serviceaccount admission.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from control_plane.api.objects import Object, annotations_of, dig

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ENFORCED: Final = "kubernetes.io/enforce-mountable-secrets"
_CONTAINERS: Final = (("initContainers", "init container"), ("containers", "container"))
_EPHEMERAL: Final = (("ephemeralContainers", "ephemeral container"),)
# Volume sources with a secretRef, and the few that call it otherwise.
_NAMED: Final = {"secret": "secretName", "azureFile": "secretName"}
_REFERRING: Final = ("secretRef", "nodePublishSecretRef")


class Mountable(NamedTuple):
    """The secrets that pods of a service account may use; everything when not `is_enforced`."""

    account: str
    is_enforced: bool
    secrets: frozenset[str]
    pull_secrets: frozenset[str]

    @classmethod
    def of(cls, account: Object) -> Mountable:
        """Read a ServiceAccount."""
        secrets, pulls = (
            frozenset(one.get("name", "") for one in account.get(field) or ())
            for field in ("secrets", "imagePullSecrets")
        )
        name = dig(account, "metadata", "name", default="")
        is_enforced = annotations_of(account).get(ENFORCED, "").lower() in ("1", "t", "true")
        return cls(name, is_enforced, secrets, pulls)


def forbidden_in_pod(pod: Object, mountable: Mountable) -> str:
    """Return what a new pod refers to but may not; "" for nothing."""
    if not mountable.is_enforced:
        return ""
    account = mountable.account
    unknown = f"is not allowed because service account {account} does not reference that secret"
    for volume in dig(pod, "spec", "volumes", default=[]):
        name = dig(volume, "secret", "secretName", default="")
        if volume.get("secret") is not None and name not in mountable.secrets:
            return f'volume with secret.secretName="{name}" {unknown}'
    found = _forbidden_in_containers(pod, _CONTAINERS, mountable)
    if found:
        return found
    for index, reference in enumerate(dig(pod, "spec", "imagePullSecrets", default=[])):
        name = reference.get("name", "")
        if name not in mountable.pull_secrets:
            return (
                f'imagePullSecrets[{index}].name="{name}" is not allowed because service account '
                f"{account} does not reference that imagePullSecret"
            )
    return ""


def forbidden_in_ephemeral(pod: Object, mountable: Mountable) -> str:
    """Return what ephemeral containers refer to but may not; "" for nothing."""
    return _forbidden_in_containers(pod, _EPHEMERAL, mountable) if mountable.is_enforced else ""


def _forbidden_in_containers(
    pod: Object, fields: Iterable[tuple[str, str]], mountable: Mountable
) -> str:
    for field, called in fields:
        for container in dig(pod, "spec", field, default=[]):
            for where, name in _in_container(container):
                if name not in mountable.secrets:
                    return (
                        f"{called} {container.get('name')} with {where} referencing "
                        f'secret.secretName="{name}" is not allowed because service account '
                        f"{mountable.account} does not reference that secret"
                    )
    return ""


def _in_container(container: Object) -> Iterator[tuple[str, str]]:
    """Yield the secrets of a container's environment, each with where it is named."""
    for variable in container.get("env") or ():
        reference = dig(variable, "valueFrom", "secretKeyRef", default=None)
        if reference is not None:
            yield f"envVar {variable.get('name')}", reference.get("name", "")
    for source in container.get("envFrom") or ():
        reference = source.get("secretRef")
        if reference is not None:
            yield "envFrom", reference.get("name", "")


def refers_to_secrets(pod: Object) -> bool:
    """Tell whether a pod refers to any secret at all."""
    spec = pod.get("spec") or {}
    if spec.get("imagePullSecrets"):
        return True
    for field, _ in (*_CONTAINERS, *_EPHEMERAL):
        if any(next(_in_container(container), None) for container in spec.get(field) or ()):
            return True
    return any(_is_secret(volume) for volume in spec.get("volumes") or ())


def _is_secret(volume: Object) -> bool:
    for kind, source in volume.items():
        if not isinstance(source, dict):
            continue
        if source.get(_NAMED.get(kind, "")) or any(source.get(one) for one in _REFERRING):
            return True
        if any(one.get("secret") for one in source.get("sources") or ()):
            return True
    return False


def projects_tokens(pod: Object) -> bool:
    """Tell whether a volume of a pod has a service account's token in it."""
    return any(
        source.get("serviceAccountToken") is not None
        for volume in dig(pod, "spec", "volumes", default=[])
        for source in dig(volume, "projected", "sources", default=[])
    )
