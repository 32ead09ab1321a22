"""Definition: one CustomResourceDefinition as the server holds it, and its versions' kinds.

The schema is parsed when it is needed, and what is made of it is kept: most kinds of a cluster are
served and never asked for. Pure.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import orjson

from control_plane.api.custom import conditions
from control_plane.api.custom.kind import CustomKind
from control_plane.api.objects import dig, is_terminating, name_of, uid_of

if TYPE_CHECKING:
    from control_plane.api.objects import Object


class Definition:
    """What a stored definition says, but for its schemas, which lie in `document` as bytes.

    `outline` is the object without its versions. It changes with the object; all else of an
    instance stays as it is.
    """

    def __init__(self, document: bytes) -> None:
        """`document` is the JSON of a CustomResourceDefinition of v1, kept as it is."""
        obj: Object = orjson.loads(document)
        spec = obj["spec"]
        self._document = document
        self.name, self.uid = name_of(obj), uid_of(obj)
        self.group: str = spec["group"]
        self.names: Object = spec["names"]
        self.accepted: Object = dig(obj, "status", "acceptedNames", default={})
        self.is_namespaced: bool = spec["scope"] == "Namespaced"
        self.outline = _outline(obj)
        self.is_served = conditions.is_served(obj)
        self.conversion: Object = spec.get("conversion") or {"strategy": "None"}
        self.storage_version = next(
            (one["name"] for one in spec["versions"] if one.get("storage")), ""
        )
        self.kinds = {one["name"]: CustomKind(self, _head(one)) for one in spec["versions"]}
        digest = hashlib.sha256(orjson.dumps(spec)).digest()  # the spec itself would take room
        offered = tuple(kind.version for kind in self.offered)
        self.identity = (digest, orjson.dumps(self.accepted), self.is_served, offered)

    @property
    def is_terminating(self) -> bool:
        """Whether it is being deleted."""
        return is_terminating(self.outline)

    @property
    def offered(self) -> list[CustomKind]:
        """The versions that are served; if none is while it ends, that in which objects lie.

        Its objects are found by that and deleted.
        """
        served = [kind for kind in self.kinds.values() if kind.is_served]
        if served or not self.is_terminating:
            return served
        return [kind for name, kind in self.kinds.items() if name == self.storage_version]

    def follow(self, newer: Definition) -> None:
        """Take over what may change while the rows stay."""
        self.outline = newer.outline

    @property
    def converts_by_webhook(self) -> bool:
        """Whether somebody else makes one version of another."""
        return self.conversion.get("strategy") == "Webhook"

    def version(self, name: str) -> Object:
        """Read a version's entry of the spec, schema included: it is needed seldom, and large."""
        versions = orjson.loads(self._document)["spec"]["versions"]
        found: dict[str, Object] = {one["name"]: one for one in versions}
        return found[name]


def _outline(obj: Object) -> Object:
    fields = ("group", "names", "conversion", "preserveUnknownFields")
    spec = {field: obj["spec"].get(field) for field in fields}
    return {"metadata": obj["metadata"], "spec": spec, "status": obj.get("status") or {}}


def _head(version: dict[str, Any]) -> Object:
    """Return a version's entry without what takes room."""
    return {key: value for key, value in version.items() if key != "schema"}
