"""Objects as the bytes that lie in the store, and as the bytes that go to clients.

Stored is the whole object as JSON, `kind`, `apiVersion` and `metadata` first, without
`resourceVersion`: that is the store's own mod_revision. A list's item is the same without kind and
apiVersion and with resourceVersion, made from the stored bytes by splicing, so that a list is a
join and not an encoding. Types that are stored in another version than they are served in are
converted, and encoded anew; so is what another server has stored as protobuf.
"""

from typing import Any

import orjson

from control_plane.api.conversion import conversion_for
from control_plane.api.custom.kind import CustomKind
from control_plane.api.objects import Object
from control_plane.api.resources import Resource
from control_plane.apiserver.protobuf import envelope
from control_plane.apiserver.storage.stored_object import (
    UnreadableError,
    stored_custom_object,
    stored_object,
)

_NOT_STORED = ("resourceVersion", "selfLink")


class Codec:
    """Encodes and decodes the objects of one resource."""

    def __init__(self, resource: Resource) -> None:
        """Prepare the bytes that start every object of `resource`."""
        self.head = b'{"kind":"%s","apiVersion":"%s",' % (
            resource.kind.encode(),
            resource.api_version.encode(),
        )
        self._kind = (resource.api_version, resource.kind)
        self._identity = {"kind": resource.kind, "apiVersion": resource.api_version}
        self._conversion = conversion_for(resource)
        self._custom = resource.custom
        group, version, kind = resource.storage_group_version_kind
        stored_version = f"{group}/{version}" if group else version
        self._stored_kind = (stored_version, kind)
        self._stored_identity = {"kind": kind, "apiVersion": stored_version}
        self._stored_head = self.head + b'"metadata":{"'
        self._newest_head = b'{"kind":"%s","apiVersion":"%s"' % (
            kind.encode(),
            stored_version.encode(),
        )

    def encode(self, obj: Object) -> bytes:
        """The bytes to store for `obj`."""
        if self._conversion is not None:
            obj = self._conversion.to_stored(obj)
        elif self._custom is not None:
            obj = self._custom.to_stored(obj)
        return self.encode_as_it_is(obj)

    def encode_as_it_is(self, obj: Object) -> bytes:
        """The bytes to store for an object that is in the stored version."""
        metadata = {k: v for k, v in obj["metadata"].items() if k not in _NOT_STORED}
        return orjson.dumps({**self._stored_identity, "metadata": metadata, **_content(obj)})

    def is_current(self, value: bytes) -> bool:
        """Whether an object is stored in the version that objects are stored in today."""
        return self._custom is None or value.startswith(self._newest_head)

    def decode(self, value: bytes, revision: int) -> Object:
        """The object stored as `value` at `revision`; raises UnreadableError."""
        obj = self._loads(value)
        obj["metadata"]["resourceVersion"] = str(revision)
        return {**self._identity, **obj}

    def written(self, obj: Object, value: bytes, revision: int) -> Object:
        """What `decode` returns of an object that was just encoded as `value`."""
        if self._conversion is not None or self._custom is not None:
            return self.decode(value, revision)
        metadata = {k: v for k, v in obj["metadata"].items() if k not in _NOT_STORED}
        metadata["resourceVersion"] = str(revision)
        return {**self._identity, "metadata": metadata, **_content(obj)}

    def _loads(self, value: bytes) -> Object:
        """The stored object in the version that is served."""
        if self._custom is not None:
            return self._of_custom(self._custom, value)[0]
        obj = stored_object(value, *self._stored_kind)
        return obj if self._conversion is None else self._conversion.from_stored(obj)

    def _of_custom(self, kind: CustomKind, value: bytes) -> tuple[Object, bool]:
        """The stored object in this version, and whether it is another; raises UnreadableError."""
        obj = stored_custom_object(value, self._kind[1])
        try:
            return obj, kind.from_stored(obj)
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            raise UnreadableError(f"its schema cannot be applied: {error!r}") from error

    def item(self, value: bytes, revision: int) -> tuple[bytes, Object]:
        """The bytes of the object as a list's item, and the decoded object itself."""
        is_as_stored = True
        if self._custom is not None:
            obj, changed = self._of_custom(self._custom, value)
            is_as_stored = not changed
        else:
            obj = self._loads(value)
        metadata = obj["metadata"]
        if (
            is_as_stored
            and value.startswith(self._stored_head)
            and not any(key in metadata for key in _NOT_STORED)
        ):
            rest = value[len(self._stored_head) - 1 :]
            return b'{"metadata":{"resourceVersion":"%d",%s' % (revision, rest), obj
        return item_of(obj, revision), obj

    def message(self, item: bytes) -> bytes:
        """The object in protobuf, without an envelope, from the bytes of the item."""
        return envelope.message(orjson.loads(item), *self._kind)

    def enclosed(self, message: bytes) -> bytes:
        """The object on its own in protobuf, from what `message` made."""
        return envelope.enclosed(message, *self._kind)

    def served(self, item: bytes, revision: int) -> bytes:
        """The item in this version, from the item of the version that the cache keeps."""
        if self._conversion is None:
            return item
        return item_of(self._conversion.from_stored(orjson.loads(item)), revision)

    def whole(self, item: bytes) -> bytes:
        """The bytes of the object on its own, from those of the item."""
        return self.head + item[1:]


def item_of(obj: Object, revision: int) -> bytes:
    """The bytes of `obj` as a list's item with the resourceVersion `revision`."""
    metadata = {k: v for k, v in obj["metadata"].items() if k not in _NOT_STORED}
    return orjson.dumps(
        {"metadata": {"resourceVersion": str(revision), **metadata}, **_content(obj)}
    )


def item_at(item: bytes, revision: int) -> bytes:
    """The same item with another resourceVersion."""
    end = item.index(b'"', len(b'{"metadata":{"resourceVersion":"'))
    return b'{"metadata":{"resourceVersion":"%d%s' % (revision, item[end:])


def _content(obj: Object) -> dict[str, Any]:
    return {k: v for k, v in obj.items() if k not in ("kind", "apiVersion", "metadata")}
