"""autoscaling/v1 Scale: the number of replicas of a workload, read and written on its own."""

from collections.abc import Callable

import orjson

from control_plane.api import label_selector
from control_plane.api.apply import (
    REPLICAS,
    endpoint_of,
    parent_entries,
    scale_entries,
    track,
)
from control_plane.api.errors import InternalError, Invalid
from control_plane.api.field_error import invalid
from control_plane.api.objects import Object, deep_copy, dig, name_of, resource_version_of
from control_plane.api.patch import is_apply, patch_for
from control_plane.api.resources import REPLICATIONCONTROLLERS, Resource
from control_plane.apiserver.admission import Operation, Review
from control_plane.apiserver.http.answer import Reply
from control_plane.apiserver.http.applying import Applying, read_configuration
from control_plane.apiserver.http.bodies import read_object
from control_plane.apiserver.http.patching import Patching
from control_plane.apiserver.http.representation import object_answer
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.http.target import Target
from control_plane.apiserver.http.write_options import call_of
from control_plane.apiserver.registry.call import Call
from control_plane.apiserver.registry.edit import Edit
from control_plane.apiserver.registry.metadata_rules import require_name

SCALE = Resource("autoscaling", "v1", "Scale", "scales", True, storage="")


async def read(services: ApiServices, request: Request, target: Target) -> Reply:
    """GET: the scale of the parent."""
    body = await services.reader.get(target.resource, target.namespace, target.name, "")
    return _answer(request, target, orjson.loads(body))


async def update(services: ApiServices, request: Request, target: Target) -> Reply:
    """PUT: set the parent's replicas."""
    call = call_of(request, "UpdateOptions")
    sent = await read_object(request, SCALE, call)
    require_name(sent, target.name)

    def replace(scale: Object) -> Object:
        return tracked(scale, deep_copy(sent), call, services.registry.now())

    return await _write(services, request, target, call, replace)


async def patch(services: ApiServices, request: Request, target: Target) -> Reply:
    """PATCH: change the scale, and so the parent's replicas."""
    content_type = request.header(b"content-type")
    now = services.registry.now()
    if is_apply(content_type):
        body = await request.body()
        call = call_of(request, "PatchOptions", applies=True)
        configuration = await read_configuration(request, body)
        change_by = Applying(configuration, endpoint_of(SCALE, "scale"), call, now).apply
        return await _write(services, request, target, call, change_by)
    patching = patch_for(content_type, is_custom=target.resource.custom is not None)
    call = call_of(request, "PatchOptions")
    change = Patching(patching, await request.body(), SCALE, call)

    def transform(scale: Object) -> Object:
        return tracked(scale, change.apply(scale), call, now)

    return await _write(services, request, target, call, transform)


async def _write(
    services: ApiServices,
    request: Request,
    target: Target,
    call: Call,
    change: Callable[[Object], Object],
) -> Reply:
    """Change the scale by `change`, which also says who owns it, and the parent with it."""

    async def transform(parent: Object) -> Object:
        entries = parent["metadata"].get("managedFields")
        scale = scale_of(target.resource, parent, may_lack_replicas=True)
        owned_path = _owned_path(target.resource)
        owners = scale_entries(entries, owned_path)
        if owners:
            scale["metadata"]["managedFields"] = owners
        changed = change(scale)
        review = Review(
            target.resource,
            Operation.UPDATE,
            target.namespace,
            changed,
            scale_of(target.resource, parent, may_lack_replicas=True),
            call,
            "scale",
            target.name,
        )
        await services.registry.admit(review)
        result = with_scale(parent, changed, target)
        after = dig(changed, "metadata", "managedFields")
        owners = parent_entries(entries, after, target.resource.api_version, owned_path)
        if owners:
            result["metadata"]["managedFields"] = owners
        else:
            result["metadata"].pop("managedFields", None)
        return result

    edit = Edit(
        target.resource,
        target.namespace,
        target.name,
        transform,
        "scale",
        sets_owners=True,
        is_admitted=True,
    )
    updated, _ = await services.registry.update(edit, call)
    return _answer(request, target, updated)


def tracked(old: Object, new: Object, call: Call, now: str) -> Object:
    """The new scale, saying who owns its replicas after this write."""
    track(endpoint_of(SCALE, "scale"), old, new, call.field_manager, now)
    return new


def _answer(request: Request, target: Target, parent: Object) -> Reply:
    """The parent's scale in the form that was negotiated: kubectl asks for a Table."""
    return object_answer(request, SCALE, orjson.dumps(scale_of(target.resource, parent)))


def scale_of(resource: Resource, parent: Object, *, may_lack_replicas: bool = False) -> Object:
    """The Scale of a workload; a custom resource that does not say its replicas has none."""
    metadata = parent["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    spec_replicas, status = _replicas(resource, parent, may_lack_replicas=may_lack_replicas)
    return {
        "kind": SCALE.kind,
        "apiVersion": SCALE.api_version,
        "metadata": {key: metadata[key] for key in kept if key in metadata},
        "spec": {"replicas": spec_replicas} if spec_replicas else {},
        "status": status,
    }


def _replicas(resource: Resource, parent: Object, *, may_lack_replicas: bool) -> tuple[int, Object]:
    """The replicas that are wanted, and the scale's status."""
    paths = resource.custom.scale if resource.custom is not None else None
    if paths is not None:
        wanted = paths.replicas(parent)
        if wanted is None and not may_lack_replicas:
            text = f'the spec replicas field "{paths.spec}" does not exist'
            raise InternalError.of(text)
        return wanted or 0, paths.status_of(parent)
    status: Object = {"replicas": dig(parent, "status", "replicas", default=0)}
    selector = _selector(resource, parent)
    if selector:
        status["selector"] = selector
    return dig(parent, "spec", "replicas", default=0), status


def _owned_path(resource: Resource) -> tuple[str, ...]:
    paths = resource.custom.scale if resource.custom is not None else None
    return REPLICAS if paths is None else paths.owned_path


def with_scale(parent: Object, scale: Object, target: Target) -> Object:
    """The parent with the scale's replicas, conditional on the scale's resourceVersion."""
    replicas = dig(scale, "spec", "replicas", default=0)
    if not isinstance(replicas, int) or isinstance(replicas, bool) or replicas < 0:
        error = invalid("spec.replicas", replicas, "must be greater than or equal to 0")
        raise Invalid.of(SCALE, name_of(scale) or target.name, [error])
    changed = deep_copy(parent)
    changed["metadata"]["resourceVersion"] = resource_version_of(scale)
    if name_of(scale):
        changed["metadata"]["name"] = name_of(scale)
    paths = target.resource.custom.scale if target.resource.custom is not None else None
    if paths is not None:
        return paths.with_replicas(changed, replicas)
    changed.setdefault("spec", {})["replicas"] = replicas
    return changed


def _selector(resource: Resource, parent: Object) -> str:
    selector = dig(parent, "spec", "selector", default={})
    if resource == REPLICATIONCONTROLLERS:
        return str(label_selector.from_map(selector))
    return str(label_selector.from_object(selector))
