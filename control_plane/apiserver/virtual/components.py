"""componentstatuses: computed at each request."""

import orjson

from control_plane.api.errors import NotFound
from control_plane.api.objects import Object, name_of
from control_plane.apiserver.http.answer import Reply
from control_plane.apiserver.http.list_options import read_list_options
from control_plane.apiserver.http.representation import list_answer, object_answer
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.http.target import Target
from control_plane.apiserver.registry.reading import Listing
from control_plane.apiserver.storage.codec import Codec
from control_plane.apiserver.storage.entry import Entry


async def read_many(services: ApiServices, request: Request, target: Target) -> Reply:
    """GET of all components that are selected."""
    options = read_list_options(request.query, target.resource, ("", target.name))
    entries = [_entry(status) for status in await services.components.all()]
    chosen = [entry for entry in entries if options.selection.selects(entry)]
    return await list_answer(request, target.resource, Codec(target.resource), Listing(chosen, 0))


async def read(services: ApiServices, request: Request, target: Target) -> Reply:
    """GET of one component."""
    for status in await services.components.all():
        if name_of(status) == target.name:
            return object_answer(request, target.resource, orjson.dumps(status))
    raise NotFound.of(target.resource, target.name)


def _entry(status: Object) -> Entry:
    name = name_of(status)
    item = orjson.dumps({key: status[key] for key in ("metadata", "conditions") if key in status})
    return Entry(name, "", name, 0, item, {}, {"metadata.name": name})
