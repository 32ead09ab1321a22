"""DefaultBinder: writes the decision to the API server."""

from control_plane.api.objects import Object, name_of, namespace_of
from control_plane.api.resources import PODS
from control_plane.client.client import ApiClient
from control_plane.scheduler.framework.pod_info import PodInfo

NAME = "DefaultBinder"


def binding_of(pod: PodInfo, node_name: str) -> Object:
    """Return the Binding; its uid makes the API server refuse a later pod of the same name."""
    return {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {
            "name": name_of(pod.pod),
            "namespace": namespace_of(pod.pod),
            "uid": pod.uid,
        },
        "target": {"kind": "Node", "name": node_name},
    }


async def bind(client: ApiClient, pod: PodInfo, node_name: str) -> None:
    """POST the binding. ApiError when it is refused, OSError when the server cannot be reached."""
    binding = binding_of(pod, node_name)
    await client.create(PODS, binding, subresource="binding", name=name_of(pod.pod))
