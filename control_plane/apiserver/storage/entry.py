"""One object as the watch cache keeps it: its encoded bytes, and what selectors ask about."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import orjson

from control_plane.api.objects import Object
from control_plane.api.resources import Resource
from control_plane.apiserver.storage.codec import Codec, item_at
from control_plane.apiserver.storage.selectable_fields import selectable_fields

_NO_LABELS: Mapping[str, str] = {}


@dataclass(slots=True)
class Entry:
    """An object at one revision; nothing of it changes.

    `key` is "namespace/name" or "name"; `item` its JSON without kind and apiVersion (see `codec`);
    `fields` holds the values of the resource's selectable fields.
    """

    key: str
    namespace: str
    name: str
    revision: int
    item: bytes
    labels: Mapping[str, str]
    fields: Mapping[str, str]
    _message: bytes | None = field(default=None, compare=False, repr=False)

    def message(self, encode: Callable[[bytes], bytes]) -> bytes:
        """The object in protobuf: made of the item by `encode` for the first who asks, and kept."""
        if self._message is None:
            self._message = encode(self.item)
        return self._message

    @property
    def has_message(self) -> bool:
        """Whether it has been asked for in protobuf."""
        return self._message is not None

    def at(self, revision: int) -> "Entry":
        """The same content under another resourceVersion, as a deletion shows it."""
        return Entry(
            self.key,
            self.namespace,
            self.name,
            revision,
            item_at(self.item, revision),
            self.labels,
            self.fields,
        )


def entry_key(resource: Resource, namespace: str, name: str) -> str:
    """The key of an object's entry; `namespace` does not count for a cluster-scoped one."""
    return f"{namespace}/{name}" if resource.namespaced else name


class EntryMaker:
    """Makes the entries of one resource."""

    def __init__(self, resource: Resource, codec: Codec) -> None:
        """Look up what of `resource` selectors may ask about."""
        self._codec = codec
        self._namespaced = resource.namespaced
        self._fields = selectable_fields(resource)

    def entry(self, key: str, value: bytes, revision: int) -> Entry:
        """Make the entry of a stored value; raises codec.UnreadableError."""
        item, obj = self._codec.item(value, revision)
        namespace, _, name = key.partition("/") if self._namespaced else ("", "", key)
        return Entry(
            key, namespace, name, revision, item, self._labels(obj), self._selectable(obj, key)
        )

    def served(self, entry: Entry) -> Entry:
        """The entry in this version, from that of the version that the cache keeps."""
        item = self._codec.served(entry.item, entry.revision)
        fields = self._selectable(orjson.loads(item), entry.key)
        return Entry(
            entry.key, entry.namespace, entry.name, entry.revision, item, entry.labels, fields
        )

    def _labels(self, obj: Object) -> Mapping[str, str]:
        return obj["metadata"].get("labels") or _NO_LABELS

    def _selectable(self, obj: Object, key: str) -> Mapping[str, str]:
        fields = {name: get(obj) for name, get in self._fields.items()}
        if self._namespaced:
            fields["metadata.namespace"], _, fields["metadata.name"] = key.partition("/")
        else:
            fields["metadata.name"] = key
        return fields
