"""RESOURCES: one row per resource type. *The* table.

Routes, discovery, OpenAPI, tables, clients, informers and garbage collection all iterate these
rows; serving another built-in type means adding a row. A CustomResourceDefinition becomes a row of
the same type at run time, in a new `ResourceSet`. Pure data: nothing here knows how a row is
served.

Source: the discovery documents and storage keys of Kubernetes v1.35.
"""

from __future__ import annotations

from dataclasses import dataclass

STORAGE_ROOT = "/registry/"

ALL: tuple[str, ...] = (
    "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch",
)  # fmt: skip
GET_PATCH_UPDATE: tuple[str, ...] = ("get", "patch", "update")
CREATE_ONLY: tuple[str, ...] = ("create",)
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


@dataclass(frozen=True, slots=True)
class Resource:
    """What the API server knows of one resource type.

    `storage` is the key prefix below /registry/ without slashes at the ends: None means the plural,
    "" that nothing is stored (reviews). `singular` and `list_kind` default to the lower-cased kind
    and kind + "List". `stored_as` is the (group, version, kind) of the stored form where it is not
    the row's own.
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

NAMESPACES = Resource(
    "", "v1", "Namespace", "namespaces", False, ("ns",), verbs=WITHOUT_DELETECOLLECTION,
    subresources=(Subresource("finalize", verbs=("update",)), STATUS),
)  # fmt: skip
NODES = Resource(
    "", "v1", "Node", "nodes", False, ("no",), subresources=(STATUS,), storage="minions"
)
PODS = Resource(
    "", "v1", "Pod", "pods", True, ("po",), ("all",),
    subresources=(
        Subresource("binding", "Binding", CREATE_ONLY),
        Subresource("exec", "PodExecOptions", ("create", "get")),
        Subresource("log", verbs=("get",)),
        STATUS,
    ),
)  # fmt: skip
SERVICES = Resource(
    "", "v1", "Service", "services", True, ("svc",), ("all",), subresources=(STATUS,),
    storage="services/specs",
)  # fmt: skip
ENDPOINTS = Resource(
    "", "v1", "Endpoints", "endpoints", True, ("ep",), storage="services/endpoints"
)
EVENTS = Resource("", "v1", "Event", "events", True, ("ev",))
CONFIGMAPS = Resource("", "v1", "ConfigMap", "configmaps", True, ("cm",))
SECRETS = Resource("", "v1", "Secret", "secrets", True)
SERVICEACCOUNTS = Resource(
    "", "v1", "ServiceAccount", "serviceaccounts", True, ("sa",),
    subresources=(
        Subresource("token", "TokenRequest", CREATE_ONLY, "authentication.k8s.io", "v1"),
    ),
)  # fmt: skip
REPLICATIONCONTROLLERS = Resource(
    "", "v1", "ReplicationController", "replicationcontrollers", True, ("rc",), ("all",),
    subresources=(SCALE, STATUS), storage="controllers",
)  # fmt: skip
PERSISTENTVOLUMES = Resource(
    "", "v1", "PersistentVolume", "persistentvolumes", False, ("pv",), subresources=(STATUS,)
)
PERSISTENTVOLUMECLAIMS = Resource(
    "", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", True, ("pvc",),
    subresources=(STATUS,),
)  # fmt: skip
DEPLOYMENTS = Resource(
    "apps", "v1", "Deployment", "deployments", True, ("deploy",), ("all",),
    subresources=(SCALE, STATUS),
)  # fmt: skip
REPLICASETS = Resource(
    "apps", "v1", "ReplicaSet", "replicasets", True, ("rs",), ("all",),
    subresources=(SCALE, STATUS),
)  # fmt: skip
LEASES = Resource("coordination.k8s.io", "v1", "Lease", "leases", True)
ENDPOINTSLICES = Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", True)

RESOURCES: tuple[Resource, ...] = (
    CONFIGMAPS,
    ENDPOINTS,
    EVENTS,
    NAMESPACES,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODS,
    REPLICATIONCONTROLLERS,
    SECRETS,
    SERVICEACCOUNTS,
    SERVICES,
    DEPLOYMENTS,
    REPLICASETS,
    LEASES,
    ENDPOINTSLICES,
)


class ResourceSet:
    """Rows with the lookups over them.

    Immutable: `extended` makes another set, so readers never see half a change.
    """

    def __init__(self, rows: tuple[Resource, ...]) -> None:
        """Index the rows.

        ValueError when two share a group, version and plural or a group, version and kind.
        """
        self.rows = rows
        self._by_plural = {(row.group, row.version, row.plural): row for row in rows}
        self._by_kind = {(row.api_version, row.kind): row for row in rows}
        if not len(self._by_plural) == len(self._by_kind) == len(rows):
            raise ValueError("two resource rows share a name or a kind within one group version")

    def named(self, group: str, version: str, plural: str) -> Resource | None:
        """Return the row served at that group, version and plural."""
        return self._by_plural.get((group, version, plural))

    def of_kind(self, api_version: str, kind: str) -> Resource | None:
        """Return the row of an object's apiVersion and kind."""
        return self._by_kind.get((api_version, kind))

    def in_group_version(self, group: str, version: str) -> tuple[Resource, ...]:
        """Return the rows of one group version, sorted by plural; empty when it is not served."""
        rows = (row for row in self.rows if (row.group, row.version) == (group, version))
        return tuple(sorted(rows, key=lambda row: row.plural))

    def extended(self, *rows: Resource) -> ResourceSet:
        """Return a set with these rows added.

        A row with a known group, version and plural replaces the old one.
        """
        merged = {(row.group, row.version, row.plural): row for row in (*self.rows, *rows)}
        return ResourceSet(tuple(merged.values()))


BUILT_IN = ResourceSet(RESOURCES)


def resource_named(group: str, version: str, plural: str) -> Resource | None:
    """Return the built-in row of that group ("" for core), version and plural."""
    return BUILT_IN.named(group, version, plural)


def resource_for(api_version: str, kind: str) -> Resource | None:
    """Return the built-in row of an object's apiVersion and kind."""
    return BUILT_IN.of_kind(api_version, kind)
