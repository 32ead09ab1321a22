"""namespaces/finalize: the finalizers of a namespace's spec, removed when it has been emptied."""

import orjson

from control_plane.api.objects import Object, deep_copy
from control_plane.apiserver.http.answer import Reply
from control_plane.apiserver.http.bodies import read_object
from control_plane.apiserver.http.representation import object_answer
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.http.target import Target
from control_plane.apiserver.http.write_options import call_of
from control_plane.apiserver.registry.edit import Edit
from control_plane.apiserver.registry.metadata_rules import require_name


async def update(services: ApiServices, request: Request, target: Target) -> Reply:
    """PUT: replace spec.finalizers; the last one gone, the namespace is."""
    resource = target.resource
    call = call_of(request, "UpdateOptions")
    sent = await read_object(request, resource, call)
    require_name(sent, target.name)

    async def replace(_current: Object) -> Object:
        return deep_copy(sent)

    edit = Edit(resource, "", target.name, replace, "finalize")
    updated, _ = await services.registry.update(edit, call)
    return object_answer(request, resource, orjson.dumps(updated))
