"""What creating has in common where nothing is stored: read, admit, check, answer."""

from collections.abc import Callable, Iterable

import orjson

from control_plane.api.errors import FieldError, Invalid
from control_plane.api.objects import Object
from control_plane.apiserver.http.answer import Reply
from control_plane.apiserver.http.bodies import read_object
from control_plane.apiserver.http.representation import object_answer
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.http.target import Target
from control_plane.apiserver.http.write_options import call_of


async def received(services: ApiServices, request: Request, target: Target) -> Object:
    """The body, in the URL's namespace, with its owners, and with nothing against it."""
    call = call_of(request, "CreateOptions")
    obj = await read_object(request, target.resource, call)
    await services.registry.admit_new(target.resource, target.namespace, obj, call)
    return obj


def check(target: Target, obj: Object, rules: Callable[[Object], Iterable[FieldError]]) -> None:
    """Raise Invalid for what the rules of the kind have against it; reviews have no name."""
    errors = list(rules(obj))
    if errors:
        raise Invalid.of(target.resource, "", errors)


def answer(request: Request, target: Target, obj: Object, status: Object) -> Reply:
    """201 with the body and its status."""
    return object_answer(request, target.resource, orjson.dumps({**obj, "status": status}), 201)
