"""Resource: what the API server knows of one resource type, and Subresource of a path below one.

The rows of the built-in types are in `builtin`, the table of them all in resources.py. Pure data.
Source: the discovery documents and storage keys of Kubernetes v1.35.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from control_plane.api.custom.kind import CustomKind

STORAGE_ROOT = "/registry/"

ALL: tuple[str, ...] = (
    "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch",
)  # fmt: skip
GET_PATCH_UPDATE: tuple[str, ...] = ("get", "patch", "update")
CREATE_ONLY: tuple[str, ...] = ("create",)
PROXY: tuple[str, ...] = ("create", "delete", "get", "patch", "update")
# Namespaces are deleted one by one: each deletion empties one namespace.
WITHOUT_DELETECOLLECTION: tuple[str, ...] = tuple(v for v in ALL if v != "deletecollection")


@dataclass(frozen=True, slots=True)
class Subresource:
    """A path below an object.

    `kind` is the kind of its body or answer, "" for the parent's own kind. `group` and `version`
    are given only when that kind lives elsewhere than its parent (Scale in autoscaling/v1).
    """

    name: str
    kind: str = ""
    verbs: tuple[str, ...] = GET_PATCH_UPDATE
    group: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """What the API server knows of one resource type; a row is equal to itself alone.

    `storage` is the key prefix below /registry/ without slashes at the ends: None means the plural,
    "" that nothing is stored (reviews). `singular` and `list_kind` default to the lower-cased kind
    and kind + "List". `stored_as` is the (group, version, kind) of the stored form where it is not
    the row's own. `custom` is the kind behind a row that a CustomResourceDefinition has made.
    """

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL
    subresources: tuple[Subresource, ...] = ()
    storage: str | None = None
    singular: str | None = None
    list_kind: str | None = None
    stored_as: tuple[str, str, str] | None = None
    custom: CustomKind | None = None

    @property
    def api_version(self) -> str:
        """Return "v1" for the core group, else "group/version"."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def group_resource(self) -> str:
        """Return "pods" or "deployments.apps", as error messages print it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def singular_name(self) -> str:
        """Return the singular that kubectl accepts."""
        return self.singular or self.kind.lower()

    @property
    def list_kind_name(self) -> str:
        """Return the kind of a list of these objects."""
        return self.list_kind or f"{self.kind}List"

    @property
    def is_stored(self) -> bool:
        """Tell whether objects of this type are kept in the store."""
        return self.storage != ""

    @property
    def storage_prefix(self) -> str:
        """Return "/registry/pods/": every object's key begins so.

        ValueError for a type that is not stored.
        """
        if not self.is_stored:
            raise ValueError(f"{self.group_resource} is not stored")
        return f"{STORAGE_ROOT}{self.storage or self.plural}/"

    @property
    def storage_group_version_kind(self) -> tuple[str, str, str]:
        """Return (group, version, kind) of the stored form."""
        return self.stored_as or (self.group, self.version, self.kind)

    @property
    def root_path(self) -> str:
        """Return "/api/v1" or "/apis/apps/v1"."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    def path(
        self, namespace: str | None = None, name: str | None = None, subresource: str | None = None
    ) -> str:
        """Return the URL path of the collection, of one object or of its subresource.

        Without a namespace: the collection over all namespaces, or a cluster-scoped object. The
        parts are put in as they are; names of API objects need no escaping except in the few kinds
        that allow ":" and the like.
        """
        parts = [self.root_path]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        parts += [part for part in (name, subresource) if part]
        return "/".join(parts)

    def subresource(self, name: str) -> Subresource | None:
        """Return the subresource of that name, if this type has it."""
        return next((sub for sub in self.subresources if sub.name == name), None)


STATUS = Subresource("status")
SCALE = Subresource("scale", "Scale", GET_PATCH_UPDATE, "autoscaling", "v1")
