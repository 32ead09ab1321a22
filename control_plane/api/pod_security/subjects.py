"""What Pod Security looks at: pods, and the templates that other objects make pods of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.objects import Object, annotations_of, controller_of, dig
from control_plane.api.pod_security.violation import Pod

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# (group, plural) of what has a template, and the path to it
TEMPLATES: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("", "podtemplates"): ("template",),
    ("", "replicationcontrollers"): ("spec", "template"),
    ("apps", "daemonsets"): ("spec", "template"),
    ("apps", "deployments"): ("spec", "template"),
    ("apps", "replicasets"): ("spec", "template"),
    ("apps", "statefulsets"): ("spec", "template"),
    ("batch", "cronjobs"): ("spec", "jobTemplate", "spec", "template"),
    ("batch", "jobs"): ("spec", "template"),
}
IGNORED_SUBRESOURCES: Final = frozenset({
    "attach", "binding", "eviction", "exec", "log", "portforward", "proxy", "status",
})  # fmt: skip
_SECCOMP_POD: Final = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_CONTAINER: Final = "container.seccomp.security.alpha.kubernetes.io/"


def pod_of(obj: Object) -> Pod:
    """Return a pod, or a template, as the checks see it."""
    return Pod(annotations_of(obj), obj.get("spec") or {})


def template_of(group: str, plural: str, obj: Object) -> Pod | None:
    """Return the pod that an object makes; None when it makes none, or has no template."""
    path = TEMPLATES.get((group, plural))
    template = dig(obj, *path, default=None) if path is not None else None
    return pod_of(template) if template is not None else None


def is_significant(new: Object, old: Object) -> bool:
    """Tell whether an update of a pod can change what the checks say: another image, say."""
    if _annotation(new, _SECCOMP_POD) != _annotation(old, _SECCOMP_POD):
        return True
    for field in ("containers", "initContainers"):
        both = [dig(pod, "spec", field, default=[]) for pod in (new, old)]
        if len(both[0]) != len(both[1]):
            return True
        if any(_differs(new, old, *pair) for pair in zip(*both, strict=True)):
            return True
    return any(_differs(new, old, *pair) for pair in _ephemeral(new, old))


def _ephemeral(new: Object, old: Object) -> Iterator[tuple[Object, Object]]:
    known = {c.get("name"): c for c in dig(old, "spec", "ephemeralContainers", default=[])}
    for container in dig(new, "spec", "ephemeralContainers", default=[]):
        yield container, known.get(container.get("name"), {})


def _differs(new: Object, old: Object, container: Object, before: Object) -> bool:
    if container.get("image") != before.get("image") or not before:
        return True
    key = f"{_SECCOMP_CONTAINER}{container.get('name')}"
    return _annotation(new, key) != _annotation(old, key)


def _annotation(pod: Object, key: str) -> str:
    return annotations_of(pod).get(key, "")


def unlike_first(pods: Iterable[Object]) -> list[Object]:
    """Return the pods with one of each controller, and those of none, before the others."""
    seen: set[str] = set()
    first: list[Object] = []
    others: list[Object] = []
    for pod in pods:
        uid = (controller_of(pod) or {}).get("uid", "")
        (others if uid in seen else first).append(pod)
        seen |= {uid} - {""}
    return [*first, *others]
