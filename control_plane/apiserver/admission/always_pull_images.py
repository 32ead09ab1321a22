"""AlwaysPullImages: images are pulled at each start of a container, so that who may pull is asked.

Off by default. Source: the plugin of Kubernetes v1.35.
"""

from collections.abc import Iterator

from control_plane.api.errors import FieldError
from control_plane.api.field_error import not_supported
from control_plane.api.objects import Object
from control_plane.api.resources import PODS
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review

ALWAYS = "Always"
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


class AlwaysPullImages(Plugin):
    """Sets the policy of every image of a pod."""

    concerns = (PODS,)

    async def admit(self, review: Review) -> None:
        """Set the policies."""
        if _is_asked(review):
            for _, owner, field in _policies(review.obj):
                owner[field] = ALWAYS

    async def check(self, review: Review) -> None:
        """Refuse what a webhook or policy has set to something else."""
        if not _is_asked(review):
            return
        for path, owner, field in _policies(review.obj):
            if owner.get(field) != ALWAYS:
                raise review.forbidden(str(_error(f"{path}.{field}", owner.get(field) or "")))


def _error(path: str, value: str) -> FieldError:
    return not_supported(path, value, [ALWAYS])


def _is_asked(review: Review) -> bool:
    if review.is_for(PODS, Operation.CREATE):
        return True
    if not review.is_for(PODS, Operation.UPDATE):
        return False
    known = {owner.get("image") for _, owner, _ in _policies(review.old or {})}
    return any(owner.get("image") not in known for _, owner, _ in _policies(review.obj))


def _policies(pod: Object) -> Iterator[tuple[str, Object, str]]:
    """Where a pod has images: a path, what has the policy, and the policy's field."""
    spec = pod.get("spec") or {}
    for containers in _CONTAINERS:
        for index, container in enumerate(spec.get(containers) or ()):
            yield f"spec.{containers}[{index}]", container, "imagePullPolicy"
    for index, volume in enumerate(spec.get("volumes") or ()):
        if volume.get("image") is not None:
            yield f"spec.volumes[{index}].image", volume["image"], "pullPolicy"
