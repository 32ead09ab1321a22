"""RESOURCES: one row per resource type. *The* table.

Routes, discovery, OpenAPI, tables, clients, informers and garbage collection all iterate these
rows; serving another built-in type means adding a row to its family in `builtin`. A
CustomResourceDefinition becomes a row of the same type at run time, in a new `ResourceSet`. Pure
data: nothing here knows how a row is served.

Source: the discovery documents and storage keys of Kubernetes v1.35.
"""

from __future__ import annotations

from control_plane.api.builtin import (
    access,
    certificates,
    coordination,
    core,
    devices,
    extensions,
    flowcontrol,
    networking,
    policy,
    reviews,
    storage,
    workloads,
)
from control_plane.api.builtin.access import CLUSTERROLEBINDINGS, CLUSTERROLES, ROLEBINDINGS, ROLES
from control_plane.api.builtin.certificates import CERTIFICATESIGNINGREQUESTS
from control_plane.api.builtin.coordination import EVENTS_V1, LEASES
from control_plane.api.builtin.core import (
    BINDINGS,
    COMPONENTSTATUSES,
    CONFIGMAPS,
    ENDPOINTS,
    EVENTS,
    LIMITRANGES,
    NAMESPACES,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODS,
    PODTEMPLATES,
    REPLICATIONCONTROLLERS,
    RESOURCEQUOTAS,
    SECRETS,
    SERVICEACCOUNTS,
    SERVICES,
)
from control_plane.api.builtin.devices import (
    DEVICECLASSES,
    RESOURCECLAIMS,
    RESOURCECLAIMTEMPLATES,
    RESOURCESLICES,
)
from control_plane.api.builtin.extensions import (
    APISERVICES,
    CUSTOMRESOURCEDEFINITIONS,
    MUTATINGADMISSIONPOLICIES,
    MUTATINGADMISSIONPOLICYBINDINGS,
    MUTATINGWEBHOOKCONFIGURATIONS,
    VALIDATINGADMISSIONPOLICIES,
    VALIDATINGADMISSIONPOLICYBINDINGS,
    VALIDATINGWEBHOOKCONFIGURATIONS,
)
from control_plane.api.builtin.flowcontrol import FLOWSCHEMAS, PRIORITYLEVELCONFIGURATIONS
from control_plane.api.builtin.networking import (
    ENDPOINTSLICES,
    INGRESSCLASSES,
    INGRESSES,
    IPADDRESSES,
    NETWORKPOLICIES,
    SERVICECIDRS,
)
from control_plane.api.builtin.policy import PODDISRUPTIONBUDGETS, PRIORITYCLASSES, RUNTIMECLASSES
from control_plane.api.builtin.reviews import (
    LOCALSUBJECTACCESSREVIEWS,
    SELFSUBJECTACCESSREVIEWS,
    SELFSUBJECTREVIEWS,
    SELFSUBJECTRULESREVIEWS,
    SUBJECTACCESSREVIEWS,
    TOKENREVIEWS,
)
from control_plane.api.builtin.storage import (
    CSIDRIVERS,
    CSINODES,
    CSISTORAGECAPACITIES,
    STORAGECLASSES,
    VOLUMEATTACHMENTS,
    VOLUMEATTRIBUTESCLASSES,
)
from control_plane.api.builtin.workloads import (
    CONTROLLERREVISIONS,
    CRONJOBS,
    DAEMONSETS,
    DEPLOYMENTS,
    HORIZONTALPODAUTOSCALERS,
    HORIZONTALPODAUTOSCALERS_V1,
    JOBS,
    REPLICASETS,
    STATEFULSETS,
)
from control_plane.api.resource import (
    SCALE,
    STATUS,
    STORAGE_ROOT,
    Resource,
    Subresource,
)

__all__ = [
    "APISERVICES", "BINDINGS", "BUILT_IN", "CERTIFICATESIGNINGREQUESTS", "CLUSTERROLEBINDINGS",
    "CLUSTERROLES", "COMPONENTSTATUSES", "CONFIGMAPS", "CONTROLLERREVISIONS", "CRONJOBS",
    "CSIDRIVERS", "CSINODES", "CSISTORAGECAPACITIES", "CUSTOMRESOURCEDEFINITIONS", "DAEMONSETS",
    "DEPLOYMENTS", "DEVICECLASSES", "ENDPOINTS", "ENDPOINTSLICES", "EVENTS", "EVENTS_V1",
    "FLOWSCHEMAS", "HORIZONTALPODAUTOSCALERS", "HORIZONTALPODAUTOSCALERS_V1", "INGRESSCLASSES",
    "INGRESSES", "IPADDRESSES", "JOBS", "LEASES", "LIMITRANGES", "LOCALSUBJECTACCESSREVIEWS",
    "MUTATINGADMISSIONPOLICIES", "MUTATINGADMISSIONPOLICYBINDINGS",
    "MUTATINGWEBHOOKCONFIGURATIONS", "NAMESPACES", "NETWORKPOLICIES", "NODES", "OFF_BY_DEFAULT",
    "PERSISTENTVOLUMECLAIMS", "PERSISTENTVOLUMES", "PODDISRUPTIONBUDGETS", "PODS", "PODTEMPLATES",
    "PRIORITYCLASSES", "PRIORITYLEVELCONFIGURATIONS", "REPLICASETS", "REPLICATIONCONTROLLERS",
    "RESOURCECLAIMS", "RESOURCECLAIMTEMPLATES", "RESOURCEQUOTAS", "RESOURCES", "RESOURCESLICES",
    "ROLEBINDINGS", "ROLES", "RUNTIMECLASSES", "SCALE", "SECRETS", "SELFSUBJECTACCESSREVIEWS",
    "SELFSUBJECTREVIEWS", "SELFSUBJECTRULESREVIEWS", "SERVICEACCOUNTS", "SERVICECIDRS", "SERVICES",
    "STATEFULSETS", "STATUS", "STORAGECLASSES", "STORAGE_ROOT", "SUBJECTACCESSREVIEWS",
    "TOKENREVIEWS", "VALIDATINGADMISSIONPOLICIES", "VALIDATINGADMISSIONPOLICYBINDINGS",
    "VALIDATINGWEBHOOKCONFIGURATIONS", "VOLUMEATTACHMENTS", "VOLUMEATTRIBUTESCLASSES", "Resource",
    "ResourceSet", "Subresource", "resource_for", "resource_named",
]  # fmt: skip

RESOURCES: tuple[Resource, ...] = (
    *core.ROWS,
    *workloads.ROWS,
    *policy.ROWS,
    *coordination.ROWS,
    *networking.ROWS,
    *storage.ROWS,
    *access.ROWS,
    *certificates.ROWS,
    *flowcontrol.ROWS,
    *reviews.ROWS,
    *devices.ROWS,
    *extensions.ROWS,
)


# rows of group versions that are served only when --runtime-config says so
OFF_BY_DEFAULT: tuple[Resource, ...] = extensions.OFF_BY_DEFAULT


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

    def keeps(self, row: Resource) -> bool:
        """Whether objects are kept as those of this row: no other row serves the stored version."""
        group, version, kind = row.storage_group_version_kind
        stored = self.of_kind(f"{group}/{version}" if group else version, kind)
        return row.is_stored and stored in (None, row)

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
