"""Which container of a pod a log or exec request means. Pure.

Source of the texts: Kubernetes v1.35.
"""

from control_plane.api.errors import BadRequest
from control_plane.api.objects import Object, annotations_of, dig, name_of

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


def container_of(pod: Object, asked: str) -> str:
    """The asked container if the pod has it, else the pod's only one; raises BadRequest."""
    names = {
        kind: _names(pod, kind) for kind in ("containers", "initContainers", "ephemeralContainers")
    }
    known = [name for group in names.values() for name in group]
    if asked:
        if asked not in known:
            raise BadRequest(f"container {asked} is not valid for pod {name_of(pod)}")
        return asked
    if len(names["containers"]) == 1:
        return names["containers"][0]
    chosen = annotations_of(pod).get(DEFAULT_CONTAINER, "")
    if chosen in known:
        return chosen
    text = (
        f"a container name must be specified for pod {name_of(pod)}, "
        f"choose one of: [{' '.join(names['containers'])}]"
    )
    if names["initContainers"]:
        text += f" or one of the init containers: [{' '.join(names['initContainers'])}]"
    raise BadRequest(text)


def _names(pod: Object, kind: str) -> list[str]:
    return [container["name"] for container in dig(pod, "spec", kind, default=[])]
