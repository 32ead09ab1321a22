"""Create, update and delete for every resource, in upstream's order of work.

create: metadata cleared, defaults, mutating admission, uid and name, preparation, allocation,
validation, write. update: the stored object is read, changed by the caller's transform, and the
rest is the same, in a loop that starts again when somebody else wrote in between. Nothing here
knows HTTP. Source: apiserver/pkg/registry of Kubernetes v1.35.
"""

import contextlib
import datetime
import logging
import uuid
from collections.abc import AsyncIterator, Callable

from control_plane.api.apply import endpoint_of, track
from control_plane.api.defaults import apply_defaults
from control_plane.api.errors import AlreadyExists, Invalid, NotFound, ServerTimeout
from control_plane.api.field_error import required
from control_plane.api.names import generate_name
from control_plane.api.objects import Object, deep_copy, name_of, resource_version_of
from control_plane.api.preparation import (
    clear_system_metadata,
    prepare_for_create,
    prepare_for_update,
    strategy_for,
)
from control_plane.api.resources import Resource
from control_plane.api.timestamps import format_time
from control_plane.api.validation import validate_create, validate_update
from control_plane.api.warnings import warnings_on_create, warnings_on_update
from control_plane.apiserver.admission import Admission, Charge, Operation, Review
from control_plane.apiserver.allocation.allocators import Allocators
from control_plane.apiserver.registry.call import Call
from control_plane.apiserver.registry.deletion import (
    DeleteOptions,
    Fate,
    check_preconditions,
    is_finished,
    plan_deletion,
)
from control_plane.apiserver.registry.edit import Edit
from control_plane.apiserver.registry.metadata_rules import (
    check_create_metadata,
    check_uid,
    check_update_metadata,
    check_version,
    is_unchanged,
    refuse_if_ending,
    require_name,
    restore_owners,
)
from control_plane.apiserver.registry.writer import Writer
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.object_store import ObjectStore, Stored

NAME_ATTEMPTS = 8
WRITE_ATTEMPTS = 100

logger = logging.getLogger(__name__)


class Registry:
    """The writing half of the API."""

    def __init__(
        self,
        collections: Collections,
        admission: Admission,
        allocators: Allocators,
        clock: Callable[[], datetime.datetime],
    ) -> None:
        """`clock` returns the time in UTC."""
        self.collections = collections
        self._admission = admission
        self._allocators = allocators
        self._writer = Writer(collections, allocators)
        self._clock = clock

    def now(self) -> str:
        """The time as objects have it, in whole seconds."""
        return format_time(self._clock())

    async def admit(self, review: Review) -> None:
        """Let admission change and check what is not stored as it is, such as an eviction."""
        await self._admission.admit(review)
        await self._admission.check(review)

    async def create(
        self,
        resource: Resource,
        namespace: str,
        obj: Object,
        call: Call,
        *,
        has_owners: bool = False,
    ) -> Object:
        """Store a new object and return it as stored.

        The caller's field manager owns what is in it, unless it says already who does.
        """
        check_create_metadata(resource, namespace, obj)
        refuse_if_ending(resource, obj)
        clear_system_metadata(obj)
        apply_defaults(resource, obj)
        if not has_owners:
            self._track(resource, "", {}, obj, call)
        review = Review(resource, Operation.CREATE, namespace, obj, None, call)
        await self._admit(review)
        check_create_metadata(resource, namespace, obj)
        prefix = obj["metadata"].get("generateName")
        if not prefix and not name_of(obj) and strategy_for(resource).names_nameless:
            obj["metadata"]["name"] = str(uuid.uuid4())
        if name_of(obj):
            return await self._create_named(review)
        if not prefix:
            error = required("metadata.name", "name or generateName is required")
            raise Invalid.of(resource, "", [error])
        for _ in range(NAME_ATTEMPTS):
            attempt = deep_copy(obj)
            attempt["metadata"]["name"] = generate_name(prefix)
            try:
                return await self._create_named(review.with_object(attempt))
            except AlreadyExists:
                continue
        raise AlreadyExists.no_unique_name(resource, name_of(attempt))

    async def admit_new(self, resource: Resource, namespace: str, obj: Object, call: Call) -> None:
        """Do to a new object what comes before its storage, where there is to be none.

        It gets its namespace and its owners; whoever has something against it raises.
        """
        check_create_metadata(resource, namespace, obj)
        self._track(resource, "", {}, obj, call)
        await self.admit(Review(resource, Operation.CREATE, namespace, obj, None, call))

    def _track(
        self, resource: Resource, subresource: str, old: Object, new: Object, call: Call
    ) -> None:
        """Say in `new` who owns its fields; an object that cannot be followed has no owners."""
        endpoint = endpoint_of(resource, subresource)
        if not track(endpoint, old, new, call.field_manager, self.now()):
            logger.warning("fields not tracked resource=%s name=%s", resource.plural, name_of(new))

    async def _admit(self, review: Review) -> None:
        """Let admission change an object; who owns its fields can be read after that."""
        owners = review.obj["metadata"].get("managedFields")
        await self._admission.admit(review)
        warning = restore_owners(review.obj, owners)
        if warning:
            review.call.warn(warning)

    async def _create_named(self, review: Review) -> Object:
        resource, obj = review.resource, review.obj
        now = self.now()
        obj["metadata"] = {
            "name": name_of(obj),
            **obj["metadata"],
            "uid": str(uuid.uuid4()),
            "creationTimestamp": now,
        }
        prepare_for_create(resource, obj, now=now)
        for _ in range(WRITE_ATTEMPTS):
            attempt = deep_copy(obj) if self._allocators.concerns(resource) else obj
            created = await self._allocate_and_write(review.with_object(attempt))
            if created is not None:
                return created
        raise ServerTimeout.of(resource, "create", 1)

    async def _allocate_and_write(self, review: Review) -> Object | None:
        """Store the object with what was allocated for it; None when that went to somebody else."""
        resource, obj = review.resource, review.obj
        async with self._allocators.for_write(resource, obj, None) as others:
            errors = validate_create(resource, obj)
            if errors:
                raise Invalid.of(resource, name_of(obj), errors)
            for text in warnings_on_create(resource, obj):
                review.call.warn(text)
            await self._admission.check(review)
            async with self._admission.charged(review) as charge:
                created = await self._writer.add(review, [*others, *charge.parts])
                charge.revision = _revision_of(created)
                return created

    async def update(self, edit: Edit, call: Call) -> tuple[Object, bool]:
        """Apply an edit; return the object as stored and whether it was created by this."""
        store = self.collections.of(edit.resource).store
        for _ in range(WRITE_ATTEMPTS):
            stored = await store.get(edit.namespace, edit.name)
            if stored is None:
                return await self._create_by_update(edit, call), True
            new = await self._changed(edit, store, stored, call)
            result = await self._write_change(edit, store, stored, new, call)
            if result is not None:
                return result, False
        raise ServerTimeout.of(edit.resource, "update", 1)

    async def _create_by_update(self, edit: Edit, call: Call) -> Object:
        strategy = strategy_for(edit.resource, edit.subresource)
        if not (edit.may_create and (edit.sets_owners or strategy.create_on_update)):
            raise NotFound.of(edit.resource, edit.name)
        obj = await edit.transform({})
        require_name(obj, edit.name)
        check_update_metadata(edit.resource, (edit.namespace, edit.name), obj)
        key = self.collections.of(edit.resource).store.key(edit.namespace, edit.name)
        check_uid(edit.resource, key, obj, {})
        obj["metadata"].pop("resourceVersion", None)
        return await self.create(
            edit.resource, edit.namespace, obj, call, has_owners=edit.sets_owners
        )

    async def _changed(self, edit: Edit, store: ObjectStore, stored: Stored, call: Call) -> Object:
        """The new state, complete and valid but for what allocation adds."""
        resource, old = edit.resource, stored.obj
        new = await edit.transform(deep_copy(old))
        check_update_metadata(resource, (edit.namespace, edit.name), new)
        check_uid(resource, store.key(edit.namespace, edit.name), new, old)
        check_version(resource, new, stored.revision, may_omit=self._may_omit(edit))
        new["metadata"]["resourceVersion"] = str(stored.revision)
        if edit.is_system:
            return new
        apply_defaults(resource, new)
        if not edit.sets_owners:
            self._track(resource, edit.subresource, old, new, call)
        if not edit.is_admitted:
            await self._admit(edit.review(new, old, call))
            check_update_metadata(resource, (edit.namespace, edit.name), new)
            new["metadata"]["resourceVersion"] = str(stored.revision)
        prepare_for_update(resource, new, old, now=self.now(), subresource=edit.subresource)
        return new

    def _may_omit(self, edit: Edit) -> bool:
        return edit.may_omit_version and strategy_for(edit.resource).unconditional_update

    async def _write_change(
        self, edit: Edit, store: ObjectStore, stored: Stored, new: Object, call: Call
    ) -> Object | None:
        """Write the new state; None when somebody else was faster."""
        resource, old = edit.resource, stored.obj
        async with (
            self._allocators.for_write(resource, new, old) as others,
            self._reviewed(edit, new, old, call) as charge,
        ):
            if call.dry_run or (is_unchanged(new, old) and not stored.is_stale):
                return new
            if not is_finished(resource, new):
                written = await self._writer.put(store, stored, new, [*others, *charge.parts])
                charge.revision = _revision_of(written)
                return written
        return await self._writer.remove(store, stored, new)

    @contextlib.asynccontextmanager
    async def _reviewed(
        self, edit: Edit, new: Object, old: Object, call: Call
    ) -> AsyncIterator[Charge]:
        """The charge for a change that is valid and that nobody has anything against."""
        if edit.is_system:
            yield Charge()
            return
        errors = validate_update(edit.resource, new, old, subresource=edit.subresource)
        if errors:
            raise Invalid.of(edit.resource, edit.name, errors)
        for text in warnings_on_update(edit.resource, new, old, subresource=edit.subresource):
            call.warn(text)
        review = edit.review(new, old, call)
        if not edit.is_admitted:
            await self._admission.check(review)
        async with self._admission.charged(review) as charge:
            yield charge

    async def delete(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        options: DeleteOptions,
        call: Call,
        *,
        is_admitted: bool = False,
    ) -> tuple[Object, bool]:
        """Delete or mark an object; return it and whether it is gone.

        With `is_admitted`, admission has been asked before, about something else: an eviction.
        """
        store = self.collections.of(resource).store
        for _ in range(WRITE_ATTEMPTS):
            stored = await store.get(namespace, name)
            if stored is None:
                raise NotFound.of(resource, name)
            check_preconditions(resource, stored.obj, options)
            review = Review(
                resource,
                Operation.DELETE,
                namespace,
                stored.obj,
                stored.obj,
                call,
                deletion=options,
            )
            if not is_admitted:
                await self.admit(review)
            fate, obj = plan_deletion(resource, stored.obj, options, self._clock())
            result = await self._carry_out(fate, store, stored, obj, options)
            if result is not None:
                return result, fate is Fate.REMOVE
        raise ServerTimeout.of(resource, "delete", 1)

    async def _carry_out(
        self,
        fate: Fate,
        store: ObjectStore,
        stored: Stored,
        obj: Object,
        options: DeleteOptions,
    ) -> Object | None:
        """Do what was decided; None when somebody else was faster."""
        if fate is Fate.KEEP or options.dry_run:
            return obj
        if fate is Fate.REMOVE:
            return await self._writer.remove(store, stored, obj)
        return await self._writer.put(store, stored, obj)


def _revision_of(written: Object | None) -> int:
    """The revision at which an object was written; 0 when it was not."""
    return int(resource_version_of(written or {}) or 0)
