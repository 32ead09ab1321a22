"""What each filter plugin accepts, and the exact reason it gives when it does not."""

from typing import Any

import pytest

from control_plane.api.objects import Object
from control_plane.scheduler.framework.cycle_state import CycleState
from control_plane.scheduler.framework.framework import Framework
from control_plane.scheduler.framework.node_info import NodeInfo
from control_plane.scheduler.framework.pod_info import PodInfo
from control_plane.scheduler.framework.snapshot import Snapshot
from control_plane.scheduler.framework.status import Code
from control_plane.scheduler.plugins import PLUGINS
from tests.control_plane.scheduler.builders import (
    container,
    expressions,
    named,
    node_affinity,
    node_info,
    pod_info,
    taint,
)

FRAMEWORK = Framework(PLUGINS)


def refusal(pod: PodInfo, node: NodeInfo) -> tuple[Code, str, tuple[str, ...]] | None:
    """Filter one node as a cycle does: pre_filter first, then every filter."""
    state = CycleState()
    filtered = FRAMEWORK.pre_filter(state, pod, Snapshot.of([node]))
    status = filtered.status or FRAMEWORK.filter(state, pod, node)
    return (status.code, status.plugin, status.reasons) if status else None


def test_node_name() -> None:
    assert refusal(pod_info(nodeName="node-1"), node_info("node-1")) is None
    assert refusal(pod_info(nodeName="node-2"), node_info("node-1")) == (
        Code.UNRESOLVABLE,
        "NodeName",
        ("node(s) didn't match the requested node name",),
    )


CORDON_TOLERATION = {"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}


@pytest.mark.parametrize(
    ("tolerations", "fits"),
    [
        ([], False),
        ([CORDON_TOLERATION], True),
        ([CORDON_TOLERATION | {"effect": "NoSchedule"}], True),
        ([CORDON_TOLERATION | {"effect": "NoExecute"}], False),
        ([{"operator": "Exists"}], True),
    ],
)
def test_node_unschedulable(tolerations: list[dict[str, str]], fits: bool) -> None:
    found = refusal(pod_info(tolerations=tolerations), node_info(unschedulable=True))
    expected = (Code.UNRESOLVABLE, "NodeUnschedulable", ("node(s) were unschedulable",))
    assert found == (None if fits else expected)


@pytest.mark.parametrize(
    ("taints", "tolerations", "fits"),
    [
        ([taint("gpu")], [], False),
        ([taint("gpu", "NoExecute")], [], False),
        ([taint("gpu", "PreferNoSchedule")], [], True),
        ([taint("gpu", value="a")], [{"key": "gpu", "value": "a"}], True),
        ([taint("gpu", value="a")], [{"key": "gpu", "operator": "Equal", "value": "b"}], False),
        ([taint("gpu", value="a")], [{"key": "gpu", "operator": "Exists", "value": "b"}], True),
        ([taint("gpu", value="a")], [{"key": "other", "operator": "Exists"}], False),
        ([taint("gpu")], [{"operator": "Exists"}], True),
        ([taint("gpu")], [{"operator": "Exists", "effect": "NoExecute"}], False),
        ([taint("gpu", value="5")], [{"key": "gpu", "operator": "Gt", "value": "4"}], False),
        ([taint("a"), taint("b")], [{"key": "a", "operator": "Exists"}], False),
    ],
)
def test_taint_toleration(
    taints: list[dict[str, str]], tolerations: list[dict[str, str]], fits: bool
) -> None:
    found = refusal(pod_info(tolerations=tolerations), node_info(taints=taints))
    expected = (Code.UNRESOLVABLE, "TaintToleration", ("node(s) had untolerated taint(s)",))
    assert found == (None if fits else expected)


LABELS = {"disk": "ssd", "cores": "8", "name": "x", "grouped": "1_000"}


@pytest.mark.parametrize(
    ("spec", "fits"),
    [
        ({"nodeSelector": {"disk": "ssd"}}, True),
        ({"nodeSelector": {"disk": "ssd", "zone": "a"}}, False),
        ({"affinity": node_affinity(expressions(("disk", "In", ["ssd", "hdd"])))}, True),
        ({"affinity": node_affinity(expressions(("disk", "In", ["hdd"])))}, False),
        ({"affinity": node_affinity(expressions(("disk", "NotIn", ["hdd"])))}, True),
        ({"affinity": node_affinity(expressions(("zone", "NotIn", ["a"])))}, True),
        ({"affinity": node_affinity(expressions(("disk", "Exists", [])))}, True),
        ({"affinity": node_affinity(expressions(("disk", "DoesNotExist", [])))}, False),
        ({"affinity": node_affinity(expressions(("cores", "Gt", ["7"])))}, True),
        ({"affinity": node_affinity(expressions(("cores", "Gt", ["8"])))}, False),
        ({"affinity": node_affinity(expressions(("cores", "Lt", ["9"])))}, True),
        ({"affinity": node_affinity(expressions(("name", "Lt", ["9"])))}, False),
        ({"affinity": node_affinity(expressions(("zone", "Gt", ["1"])))}, False),
        ({"affinity": node_affinity(expressions(("grouped", "Gt", ["1"])))}, False),
        ({"affinity": node_affinity({})}, False),
        ({"affinity": node_affinity({}, expressions(("disk", "Exists", [])))}, True),
        (
            {
                "affinity": node_affinity(
                    expressions(("disk", "Exists", []), ("zone", "Exists", []))
                )
            },
            False,
        ),
        ({"affinity": node_affinity(named("node-1"))}, True),
        (
            {
                "nodeSelector": {"disk": "hdd"},
                "affinity": node_affinity(expressions(("cores", "Exists", []))),
            },
            False,
        ),
    ],
)
def test_node_affinity(spec: dict[str, Any], fits: bool) -> None:
    found = refusal(pod_info(**spec), node_info(labels=LABELS))
    reason = "node(s) didn't match Pod's node affinity/selector"
    assert found == (None if fits else (Code.UNRESOLVABLE, "NodeAffinity", (reason,)))


def test_node_affinity_terms_that_can_never_meet() -> None:
    term = {"matchFields": [*named("node-1")["matchFields"], *named("node-2")["matchFields"]]}
    found = refusal(pod_info(affinity=node_affinity(term)), node_info())
    assert found == (Code.UNRESOLVABLE, "NodeAffinity", ("pod affinity terms conflict",))


def host_port(port: int, ip: str = "", protocol: str = "TCP") -> dict[str, Any]:
    wanted = {"containerPort": port, "hostPort": port, "hostIP": ip, "protocol": protocol}
    return {"containers": [container(ports=[wanted])]}


@pytest.mark.parametrize(
    ("held", "wanted", "fits"),
    [
        (host_port(80), host_port(81), True),
        (host_port(80), host_port(80), False),
        (host_port(80), host_port(80, protocol="UDP"), True),
        (host_port(80, "10.0.0.1"), host_port(80, "10.0.0.2"), True),
        (host_port(80, "10.0.0.1"), host_port(80, "10.0.0.1"), False),
        (host_port(80, "0.0.0.0"), host_port(80, "10.0.0.2"), False),
        (host_port(80, "10.0.0.1"), host_port(80), False),
    ],
)
def test_node_ports(held: dict[str, Any], wanted: dict[str, Any], fits: bool) -> None:
    node = node_info("node-1", pod_info("there", **held))
    found = refusal(pod_info("new", **wanted), node)
    reason = "node(s) didn't have free ports for the requested pod ports"
    assert found == (None if fits else (Code.UNSCHEDULABLE, "NodePorts", (reason,)))


def test_a_freed_port_can_be_taken_again() -> None:
    there = pod_info("there", **host_port(80))
    node = node_info("node-1", there, pod_info("other", **host_port(81))).without_pod(there.uid)
    assert refusal(pod_info("new", **host_port(80)), node) is None
    assert refusal(pod_info("new", **host_port(81)), node) is not None


SMALL = {"cpu": "1", "memory": "1Gi", "pods": "2", "example.com/gpu": "1"}


@pytest.mark.parametrize(
    ("requests", "code", "reasons"),
    [
        ({}, None, ()),
        ({"cpu": "500m"}, None, ()),
        ({"cpu": "501m"}, Code.UNSCHEDULABLE, ("Insufficient cpu",)),
        ({"cpu": "1001m"}, Code.UNRESOLVABLE, ("Insufficient cpu",)),
        ({"memory": "2Gi"}, Code.UNRESOLVABLE, ("Insufficient memory",)),
        (
            {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "1Mi"},
            Code.UNRESOLVABLE,
            ("Insufficient cpu", "Insufficient memory", "Insufficient ephemeral-storage"),
        ),
        ({"example.com/gpu": "1"}, None, ()),
        ({"example.com/gpu": "2"}, Code.UNRESOLVABLE, ("Insufficient example.com/gpu",)),
        ({"example.com/tpu": "1"}, Code.UNRESOLVABLE, ("Insufficient example.com/tpu",)),
        ({"example.com/tpu": "0"}, None, ()),
    ],
)
def test_node_resources_fit(
    requests: dict[str, str], code: Code | None, reasons: tuple[str, ...]
) -> None:
    there = pod_info("there", requests={"cpu": "500m", "memory": "1Mi"})
    node = node_info("node-1", there, allocatable=SMALL)
    found = refusal(pod_info("new", requests=requests), node)
    assert found == ((code, "NodeResourcesFit", reasons) if code else None)


def test_node_resources_fit_counts_pods() -> None:
    node = node_info("node-1", pod_info("a"), pod_info("b"), allocatable=SMALL)
    found = refusal(pod_info("new"), node)
    assert found == (Code.UNSCHEDULABLE, "NodeResourcesFit", ("Too many pods",))


ANTI_AFFINITY: Object = {
    "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{}]}
}


@pytest.mark.parametrize(
    ("plugin", "field", "spec"),
    [
        (
            "InterPodAffinity",
            "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution",
            {"affinity": ANTI_AFFINITY},
        ),
        (
            "PodTopologySpread",
            "spec.topologySpreadConstraints[1]",
            {
                "topologySpreadConstraints": [
                    {"whenUnsatisfiable": "ScheduleAnyway"},
                    {"whenUnsatisfiable": "DoNotSchedule"},
                ]
            },
        ),
        (
            "VolumeBinding",
            "spec.volumes[0].persistentVolumeClaim",
            {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]},
        ),
        ("DynamicResources", "spec.resourceClaims[0]", {"resourceClaims": [{"name": "gpu"}]}),
    ],
)
def test_a_requirement_that_is_not_implemented_is_refused_by_name(
    plugin: str, field: str, spec: dict[str, Any]
) -> None:
    found = refusal(pod_info(**spec), node_info())
    reason = f"{plugin} is not supported by this scheduler yet, but {field} requires it"
    assert found == (Code.UNRESOLVABLE, plugin, (reason,))


def test_preferences_that_are_not_implemented_do_not_stop_a_pod() -> None:
    preferred: Object = {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{}]}}
    spread = [{"whenUnsatisfiable": "ScheduleAnyway"}]
    pod = pod_info(affinity=preferred, topologySpreadConstraints=spread)
    assert refusal(pod, node_info()) is None
