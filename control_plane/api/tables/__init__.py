"""Server-side tables: what `kubectl get` and `-o wide` print.

`view_for` finds a resource's View in the TABLES literal; `build.py` makes Table objects of it.
Adding a table means writing a View in the file of its family and adding a line here.
Source: the printers of Kubernetes v1.35.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.tables import (
    access,
    autoscaling,
    certificates,
    cluster,
    devices,
    events,
    extensions,
    flowcontrol,
    jobs,
    networking,
    nodes,
    pods,
    services,
    small_objects,
    storage,
    storage_classes,
    workloads,
)

if TYPE_CHECKING:
    from control_plane.api.resources import Resource
    from control_plane.api.tables.columns import View

# By (group, plural): versions of one type share their table.
TABLES: Final[dict[tuple[str, str], View]] = {
    ("", "componentstatuses"): cluster.COMPONENTSTATUSES,
    ("", "configmaps"): small_objects.CONFIGMAPS,
    ("", "endpoints"): services.ENDPOINTS,
    ("", "events"): events.EVENTS,
    ("", "limitranges"): small_objects.PLAIN,
    ("", "namespaces"): small_objects.NAMESPACES,
    ("", "nodes"): nodes.NODES,
    ("", "persistentvolumeclaims"): storage.PERSISTENTVOLUMECLAIMS,
    ("", "persistentvolumes"): storage.PERSISTENTVOLUMES,
    ("", "pods"): pods.PODS,
    ("", "podtemplates"): cluster.PODTEMPLATES,
    ("", "replicationcontrollers"): workloads.REPLICATIONCONTROLLERS,
    ("", "resourcequotas"): cluster.RESOURCEQUOTAS,
    ("", "secrets"): small_objects.SECRETS,
    ("", "serviceaccounts"): small_objects.SERVICEACCOUNTS,
    ("", "services"): services.SERVICES,
    ("admissionregistration.k8s.io", "mutatingadmissionpolicies"): (
        extensions.MUTATINGADMISSIONPOLICIES
    ),
    ("admissionregistration.k8s.io", "mutatingadmissionpolicybindings"): (
        extensions.MUTATINGADMISSIONPOLICYBINDINGS
    ),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"): extensions.WEBHOOKS,
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"): (
        extensions.VALIDATINGADMISSIONPOLICIES
    ),
    ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"): (
        extensions.VALIDATINGADMISSIONPOLICYBINDINGS
    ),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"): extensions.WEBHOOKS,
    ("apiextensions.k8s.io", "customresourcedefinitions"): small_objects.PLAIN,
    ("apiregistration.k8s.io", "apiservices"): extensions.APISERVICES,
    ("apps", "controllerrevisions"): workloads.CONTROLLERREVISIONS,
    ("apps", "daemonsets"): workloads.DAEMONSETS,
    ("apps", "deployments"): workloads.DEPLOYMENTS,
    ("apps", "replicasets"): workloads.REPLICASETS,
    ("apps", "statefulsets"): workloads.STATEFULSETS,
    ("autoscaling", "scales"): small_objects.SCALE,  # the scale subresource of any workload
    ("autoscaling", "horizontalpodautoscalers"): autoscaling.HORIZONTALPODAUTOSCALERS,
    ("batch", "cronjobs"): jobs.CRONJOBS,
    ("batch", "jobs"): jobs.JOBS,
    ("certificates.k8s.io", "certificatesigningrequests"): (
        certificates.CERTIFICATESIGNINGREQUESTS
    ),
    ("coordination.k8s.io", "leases"): small_objects.LEASES,
    ("discovery.k8s.io", "endpointslices"): services.ENDPOINTSLICES,
    ("flowcontrol.apiserver.k8s.io", "flowschemas"): flowcontrol.FLOWSCHEMAS,
    ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations"): (
        flowcontrol.PRIORITYLEVELCONFIGURATIONS
    ),
    ("node.k8s.io", "runtimeclasses"): cluster.RUNTIMECLASSES,
    ("policy", "poddisruptionbudgets"): cluster.PODDISRUPTIONBUDGETS,
    ("rbac.authorization.k8s.io", "clusterrolebindings"): access.BINDINGS,
    ("rbac.authorization.k8s.io", "clusterroles"): small_objects.PLAIN,
    ("rbac.authorization.k8s.io", "rolebindings"): access.BINDINGS,
    ("rbac.authorization.k8s.io", "roles"): small_objects.PLAIN,
    ("resource.k8s.io", "deviceclasses"): devices.NAMED,
    ("resource.k8s.io", "resourceclaims"): devices.RESOURCECLAIMS,
    ("resource.k8s.io", "resourceclaimtemplates"): devices.NAMED,
    ("resource.k8s.io", "resourceslices"): devices.RESOURCESLICES,
    ("scheduling.k8s.io", "priorityclasses"): cluster.PRIORITYCLASSES,
    ("events.k8s.io", "events"): events.EVENTS,
    ("networking.k8s.io", "ingressclasses"): networking.INGRESSCLASSES,
    ("networking.k8s.io", "ingresses"): networking.INGRESSES,
    ("networking.k8s.io", "ipaddresses"): networking.IPADDRESSES,
    ("networking.k8s.io", "networkpolicies"): networking.NETWORKPOLICIES,
    ("networking.k8s.io", "servicecidrs"): networking.SERVICECIDRS,
    ("storage.k8s.io", "csidrivers"): storage_classes.CSIDRIVERS,
    ("storage.k8s.io", "csinodes"): storage_classes.CSINODES,
    ("storage.k8s.io", "csistoragecapacities"): storage_classes.CSISTORAGECAPACITIES,
    ("storage.k8s.io", "storageclasses"): storage_classes.STORAGECLASSES,
    ("storage.k8s.io", "volumeattachments"): storage_classes.VOLUMEATTACHMENTS,
    ("storage.k8s.io", "volumeattributesclasses"): storage_classes.VOLUMEATTRIBUTESCLASSES,
}


def view_for(resource: Resource) -> View:
    """Return the resource's view; types without one show their name and creation time."""
    if resource.custom is not None:
        return resource.custom.view
    return TABLES.get((resource.group, resource.plural), small_objects.PLAIN)
