"""pods/binding: the scheduler's decision, written into the pod."""

from control_plane.api.errors import BadRequest, Conflict, Invalid
from control_plane.api.objects import (
    Object,
    dig,
    is_terminating,
    name_of,
    resource_version_of,
    uid_of,
)
from control_plane.api.resources import BINDINGS, NODES, PODS, Resource
from control_plane.api.timestamps import now
from control_plane.api.validation.pods import validate_binding
from control_plane.apiserver.admission import Operation, Review
from control_plane.apiserver.admission.pod_topology_labels import copy_topology
from control_plane.apiserver.http.answer import Reply, negotiated_answer
from control_plane.apiserver.http.bodies import read_object
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.http.target import Target
from control_plane.apiserver.http.write_options import call_of
from control_plane.apiserver.registry.call import Call
from control_plane.apiserver.registry.edit import Edit

_POD_BINDING = Resource("", "v1", "Pod", "pods/binding", True, storage="")


async def create(services: ApiServices, request: Request, target: Target) -> Reply:
    """POST: assign the pod to the binding's node."""
    call = call_of(request, "CreateOptions")
    sent = await read_object(request, BINDINGS, call)
    if name_of(sent) and name_of(sent) != target.name:
        raise BadRequest("name in URL does not match name in Binding object")
    namespace, name = target.namespace, target.name
    review = Review(PODS, Operation.CREATE, namespace, sent, None, call, "binding", name)
    await services.registry.admit(review)
    await _bind(services, (target.namespace, target.name), sent, call)
    return _done(request)


async def create_by_name(services: ApiServices, request: Request, target: Target) -> Reply:
    """POST to the bindings of a namespace: assign the pod that the binding is called after."""
    call = call_of(request, "CreateOptions")
    sent = await read_object(request, BINDINGS, call)
    await services.registry.admit_new(BINDINGS, target.namespace, sent, call)
    if not name_of(sent):
        raise BadRequest("Name parameter required.")
    await _bind(services, (target.namespace, name_of(sent)), sent, call)
    return _done(request)


async def _bind(services: ApiServices, place: tuple[str, str], sent: Object, call: Call) -> None:
    """Assign the pod at (namespace, name) as the binding says."""
    _check(sent)
    node = services.collections.cached(NODES, "", dig(sent, "target", "name", default=""))

    async def bind(pod: Object) -> Object:
        return bound(pod, sent, node)

    await services.registry.update(Edit(PODS, *place, bind, "binding", is_system=True), call)


def _done(request: Request) -> Reply:
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "code": 201,
    }
    return negotiated_answer(status, request, 201)


def bound(pod: Object, binding: Object, node: Object | None) -> Object:
    """The pod on the binding's node; raises Conflict when it cannot be assigned."""
    name, node_name = name_of(pod), dig(binding, "target", "name", default="")
    spec = pod.setdefault("spec", {})
    _check_preconditions(pod, binding)
    if is_terminating(pod):
        raise _conflict(name, f"pod {name} is being deleted, cannot be assigned to a host")
    if spec.get("nodeName"):
        raise _conflict(name, f'pod {name} is already assigned to node "{spec["nodeName"]}"')
    if spec.get("schedulingGates"):
        raise _conflict(name, f"pod {name} has non-empty .spec.schedulingGates")
    spec["nodeName"] = node_name
    annotations = dig(binding, "metadata", "annotations", default={})
    if annotations:
        metadata = pod["metadata"]
        metadata["annotations"] = {**(metadata.get("annotations") or {}), **annotations}
    copy_topology(pod, node)
    _set_scheduled(pod)
    return pod


def _check_preconditions(pod: Object, binding: Object) -> None:
    """Raise Conflict unless the pod is the one, in the state, that the binding was made for."""
    for what, wanted, found in (
        ("UID", uid_of(binding), uid_of(pod)),
        ("ResourceVersion", resource_version_of(binding), resource_version_of(pod)),
    ):
        if wanted and wanted != found:
            raise _conflict(
                name_of(pod),
                f"Precondition failed: {what} in precondition: {wanted}, "
                f"{what} in object meta: {found}",
            )


def _set_scheduled(pod: Object) -> None:
    status = pod.setdefault("status", {})
    status.pop("nominatedNodeName", None)
    others = [c for c in status.get("conditions") or [] if c.get("type") != "PodScheduled"]
    scheduled = {
        "type": "PodScheduled",
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": now(),
    }
    generation = pod["metadata"].get("generation")
    if generation:
        scheduled["observedGeneration"] = generation
    status["conditions"] = [*others, scheduled]


def _check(binding: Object) -> None:
    errors = list(validate_binding(binding))
    if errors:
        raise Invalid.of(BINDINGS, name_of(binding), errors)


def _conflict(name: str, why: str) -> Conflict:
    return Conflict.of(_POD_BINDING, name, why)
