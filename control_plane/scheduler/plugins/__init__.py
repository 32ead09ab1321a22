"""PLUGINS: every scheduler plugin of the default profile, in upstream's order, which is the order
of execution.

To add one: a file beside this one with its functions, and a row here.
"""

from control_plane.scheduler.framework.cluster_event import EventKind
from control_plane.scheduler.framework.plugin import Plugin, always
from control_plane.scheduler.plugins import (
    balanced_allocation,
    default_binder,
    image_locality,
    node_affinity,
    node_name,
    node_ports,
    node_resources_fit,
    node_unschedulable,
    priority_sort,
    scheduling_gates,
    taint_toleration,
    unsupported,
)

PLUGINS: tuple[Plugin, ...] = (
    Plugin(
        scheduling_gates.NAME,
        pre_enqueue=scheduling_gates.pre_enqueue,
        wakes={EventKind.OWN_POD_GATES: always},
    ),
    Plugin(priority_sort.NAME, queue_key=priority_sort.queue_key),
    Plugin(
        node_unschedulable.NAME,
        filter=node_unschedulable.accepts,
        wakes={
            EventKind.NODE_ADD: node_unschedulable.is_open,
            EventKind.NODE_TAINTS: node_unschedulable.is_open,
            EventKind.OWN_POD_TOLERATIONS: always,
        },
    ),
    Plugin(
        node_name.NAME,
        filter=node_name.accepts,
        wakes={EventKind.NODE_ADD: always},
    ),
    Plugin(
        taint_toleration.NAME,
        weight=3,
        filter=taint_toleration.accepts,
        pre_score=taint_toleration.pre_score,
        score=taint_toleration.score,
        normalize=taint_toleration.normalize,
        wakes={
            EventKind.NODE_ADD: taint_toleration.becomes_tolerated,
            EventKind.NODE_TAINTS: taint_toleration.becomes_tolerated,
            EventKind.OWN_POD_TOLERATIONS: always,
        },
    ),
    Plugin(
        node_affinity.NAME,
        weight=2,
        pre_filter=node_affinity.pre_filter,
        filter=node_affinity.accepts,
        pre_score=node_affinity.pre_score,
        score=node_affinity.score,
        normalize=node_affinity.normalize,
        wakes={
            EventKind.NODE_ADD: node_affinity.becomes_match,
            EventKind.NODE_LABELS: node_affinity.becomes_match,
        },
    ),
    Plugin(
        node_ports.NAME,
        pre_filter=node_ports.pre_filter,
        filter=node_ports.accepts,
        wakes={EventKind.NODE_ADD: always, EventKind.POD_DELETE: node_ports.frees_port},
    ),
    Plugin(
        node_resources_fit.NAME,
        filter=node_resources_fit.accepts,
        score=node_resources_fit.score,
        wakes={
            EventKind.NODE_ADD: node_resources_fit.could_ever_fit,
            EventKind.NODE_ALLOCATABLE: node_resources_fit.could_ever_fit,
            EventKind.POD_DELETE: always,
            EventKind.POD_SCALED_DOWN: node_resources_fit.releases_wanted,
            EventKind.OWN_POD_SCALED_DOWN: always,
        },
    ),
    Plugin(
        "VolumeBinding",
        pre_filter=unsupported.refusing("VolumeBinding", unsupported.claim_volumes),
    ),
    Plugin(
        "PodTopologySpread",
        weight=2,
        pre_filter=unsupported.refusing("PodTopologySpread", unsupported.topology_spread),
    ),
    Plugin(
        "InterPodAffinity",
        weight=2,
        pre_filter=unsupported.refusing("InterPodAffinity", unsupported.pod_affinity),
    ),
    Plugin(
        "DynamicResources",
        weight=2,
        pre_filter=unsupported.refusing("DynamicResources", unsupported.resource_claims),
    ),
    Plugin(
        balanced_allocation.NAME,
        pre_score=balanced_allocation.pre_score,
        score=balanced_allocation.score,
    ),
    Plugin(
        image_locality.NAME,
        pre_score=image_locality.pre_score,
        score=image_locality.score,
    ),
    Plugin(default_binder.NAME, bind=default_binder.bind),
)
