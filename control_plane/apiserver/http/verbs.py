"""The verbs of a resource: create, get, list, watch, update, patch, delete, deletecollection.

One function per verb, the same for every row of RESOURCES. Each reads the request, calls the
registry or the reader, and represents the result.
"""

import contextlib
import random

import orjson

from control_plane.api.apply import endpoint_of
from control_plane.api.deleted_objects import ANSWERED
from control_plane.api.errors import ApiError, BadRequest, Conflict, Expired, NotFound
from control_plane.api.objects import Object, deep_copy, name_of, uid_of
from control_plane.api.patch import is_apply, patch_for
from control_plane.apiserver.auth.authz import Attributes
from control_plane.apiserver.http.accept import JSON
from control_plane.apiserver.http.answer import Answer, Reply, success_status
from control_plane.apiserver.http.applying import Applying, read_configuration
from control_plane.apiserver.http.bodies import read_delete_options_body, read_object
from control_plane.apiserver.http.list_options import ListOptions, read_list_options
from control_plane.apiserver.http.patching import Patching
from control_plane.apiserver.http.representation import (
    list_answer,
    object_answer,
    watch_encoding,
)
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.http.socket_reply import watch_socket
from control_plane.apiserver.http.target import Target
from control_plane.apiserver.http.watch_reply import WatchErrorReply, WatchReply
from control_plane.apiserver.http.write_options import (
    call_of,
    call_without_options,
    read_delete_options,
)
from control_plane.apiserver.registry.deletion import DeleteOptions
from control_plane.apiserver.registry.edit import Edit
from control_plane.apiserver.registry.metadata_rules import require_name
from control_plane.apiserver.storage.watch_cache import TooOldError

MIN_WATCH_SECONDS = 1800


async def create(services: ApiServices, request: Request, target: Target) -> Reply:
    """POST to a collection."""
    resource = target.resource
    call = call_of(request, "CreateOptions")
    obj = await read_object(request, resource, call)
    created = await services.registry.create(resource, target.namespace, obj, call)
    return _object(services, request, target, created, 201)


async def read(services: ApiServices, request: Request, target: Target) -> Reply:
    """GET of one object, or of its status, which is the object."""
    if "export" in request.query and request.query.flag("export"):
        raise BadRequest("the export parameter, deprecated since v1.14, is no longer supported")
    version = request.query.text("resourceVersion")
    resource = target.resource
    body = await services.reader.get(resource, _namespace(target), target.name, version)
    return object_answer(request, resource, body)


async def read_many(services: ApiServices, request: Request, target: Target) -> Reply:
    """GET of a collection: a list, or a watch."""
    options = _list_options(request, target)
    if options.watch:
        reply = await _watch(services, request, target, options)
        if not request.is_socket:
            return reply
        return watch_socket(reply, request, is_text=reply.encoding.media_type == JSON)
    listing = await services.reader.list(target.resource, options)
    codec = services.collections.of(target.resource).cache.codec
    return await list_answer(request, target.resource, codec, listing)


async def _watch(
    services: ApiServices, request: Request, target: Target, options: ListOptions
) -> WatchReply | WatchErrorReply:
    cache = services.collections.of(target.resource).cache
    encoding = watch_encoding(request, target.resource, cache.codec)
    try:
        watcher = await services.reader.watch(target.resource, options)
    except TooOldError as error:
        expired = Expired(f"too old resource version: {options.revision} ({error.oldest})")
        return WatchErrorReply(encoding, expired.status())
    except ApiError as error:
        return WatchErrorReply(encoding, error.status())
    seconds = options.timeout_seconds or MIN_WATCH_SECONDS * (1 + random.random())
    return WatchReply(
        cache, watcher, encoding, seconds, options.allow_bookmarks, options.starts_with_objects
    )


async def update(services: ApiServices, request: Request, target: Target) -> Reply:
    """PUT of an object or of one of its halves."""
    resource = target.resource
    call = call_of(request, "UpdateOptions")
    obj = await read_object(request, resource, call)
    require_name(obj, target.name)

    async def replace(current: Object) -> Object:
        if not current:
            services.authorizer.authorize(request.user, _creating(request, target))
        return deep_copy(obj)

    edit = Edit(
        resource,
        _namespace(target),
        target.name,
        replace,
        target.subresource,
        may_create=not target.subresource,
    )
    updated, is_new = await services.registry.update(edit, call)
    return _object(services, request, target, updated, 201 if is_new else 200)


async def patch(services: ApiServices, request: Request, target: Target) -> Reply:
    """PATCH of an object or of one of its halves."""
    if is_apply(request.header(b"content-type")):
        return await _apply(services, request, target)
    resource = target.resource
    patching = patch_for(request.header(b"content-type"), is_custom=resource.custom is not None)
    call = call_of(request, "PatchOptions")
    change = Patching(patching, await request.body(), resource, call)

    async def transform(current: Object) -> Object:
        return change.apply(current)

    edit = Edit(resource, _namespace(target), target.name, transform, target.subresource)
    updated, _ = await services.registry.update(edit, call)
    return _object(services, request, target, updated)


async def _apply(services: ApiServices, request: Request, target: Target) -> Reply:
    """Server-side apply, which creates what is not there; only whole objects are created."""
    resource = target.resource
    body = await request.body()
    call = call_of(request, "PatchOptions", applies=True)
    configuration = await read_configuration(request, body)
    endpoint = endpoint_of(resource, target.subresource)
    change = Applying(configuration, endpoint, call, services.registry.now())

    async def transform(current: Object) -> Object:
        applied = change.apply(current)
        if not current:
            services.authorizer.authorize(request.user, _creating(request, target))
            _refuse_uid(target, applied)
        return applied

    edit = Edit(
        resource,
        _namespace(target),
        target.name,
        transform,
        target.subresource,
        may_create=not target.subresource,
        sets_owners=True,
    )
    updated, is_new = await services.registry.update(edit, call)
    return _object(services, request, target, updated, 201 if is_new else 200)


def _creating(request: Request, target: Target) -> Attributes:
    """What a user must be allowed to do besides when an update or an apply creates."""
    resource = target.resource
    return Attributes(
        verb="create",
        path=request.path,
        group=resource.group,
        resource=resource.plural,
        namespace=target.namespace,
        name=target.name,
    )


def _refuse_uid(target: Target, new: Object) -> None:
    if uid_of(new):
        raise Conflict.of(
            target.resource,
            target.name,
            f"uid mismatch: the provided object specified uid {uid_of(new)}, "
            "and no existing object was found",
        )


async def delete(services: ApiServices, request: Request, target: Target) -> Reply:
    """DELETE of one object."""
    options = await _delete_options(request, target)
    call = call_without_options(request, dry_run=options.dry_run)
    resource = target.resource
    obj, is_gone = await services.registry.delete(
        resource, _namespace(target), target.name, options, call
    )
    if is_gone and resource not in ANSWERED:
        details = {
            "name": name_of(obj),
            **({"group": resource.group} if resource.group else {}),
            "kind": resource.plural,
            "uid": uid_of(obj),
        }
        return success_status(details, request)
    status = 202 if not is_gone and options.orphan_given else 200
    return _object(services, request, target, obj, status)


async def delete_many(services: ApiServices, request: Request, target: Target) -> Reply:
    """DELETE of a collection: each selected object, one by one; answers them as they were."""
    resource = target.resource
    list_options = _list_options(request, target)
    options = await _delete_options(request, target)
    call = call_without_options(request, dry_run=options.dry_run)
    listing = await services.reader.list(resource, list_options)
    for entry in listing.entries:
        with contextlib.suppress(NotFound):
            await services.registry.delete(resource, entry.namespace, entry.name, options, call)
    return await list_answer(
        request, resource, services.collections.of(resource).cache.codec, listing
    )


async def _delete_options(request: Request, target: Target) -> DeleteOptions:
    body = await read_delete_options_body(request, target.resource)
    return read_delete_options(request.query, body)


def _list_options(request: Request, target: Target) -> ListOptions:
    place = (_namespace(target), target.name)
    return read_list_options(request.query, target.resource, place, watch_path=target.is_watch_path)


def _namespace(target: Target) -> str:
    """The namespace of the object's key: none for cluster-scoped resources."""
    return target.namespace if target.resource.namespaced else ""


def _object(
    services: ApiServices, request: Request, target: Target, obj: Object, status: int = 200
) -> Answer:
    return object_answer(request, target.resource, orjson.dumps(obj), status)
