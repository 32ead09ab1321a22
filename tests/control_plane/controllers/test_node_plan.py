"""The taints and labels of nodes and the pace of eviction by zone, as tables."""

import pytest

from control_plane.api.objects import Object
from control_plane.controllers.node_lifecycle.taints import (
    NOT_READY,
    UNREACHABLE,
    UNSCHEDULABLE,
    evicting_key,
    missing_labels,
    with_no_execute,
    with_no_schedule,
)
from control_plane.controllers.node_lifecycle.zones import (
    EXCLUDED_LABEL,
    EvictionRates,
    ZoneState,
    all_lost,
    eviction_rate,
    zone_of,
    zone_states,
)

STAMP = "2026-01-02T03:04:05Z"
RATES = EvictionRates(normal=0.1, secondary=0.01, large_cluster=50, threshold=0.55)


def node(
    conditions: dict[str, str] | None = None,
    taints: list[Object] | None = None,
    labels: dict[str, str] | None = None,
    *,
    cordoned: bool = False,
) -> Object:
    listed = [{"type": kind, "status": status} for kind, status in (conditions or {}).items()]
    return {
        "metadata": {"name": "n", "labels": labels or {}},
        "spec": {"taints": taints or [], "unschedulable": cordoned},
        "status": {"conditions": listed},
    }


def taint(key: str, effect: str) -> Object:
    return {"key": key, "effect": effect, "timeAdded": STAMP}


@pytest.mark.parametrize(
    ("given", "keys"),
    [
        (node(), []),
        (node({"Ready": "True"}), []),
        (node({"Ready": "False"}), [NOT_READY]),
        (node({"Ready": "Unknown"}), [UNREACHABLE]),
        (node({"MemoryPressure": "True"}), ["node.kubernetes.io/memory-pressure"]),
        (node({"DiskPressure": "True"}), ["node.kubernetes.io/disk-pressure"]),
        (node({"PIDPressure": "True"}), ["node.kubernetes.io/pid-pressure"]),
        (node({"MemoryPressure": "Unknown", "DiskPressure": "False"}), []),
        (node({"NetworkUnavailable": "True"}), ["node.kubernetes.io/network-unavailable"]),
        (node({"Ready": "False"}, cordoned=True), [NOT_READY, UNSCHEDULABLE]),
    ],
)
def test_state_asks_for_no_schedule_taints(given: Object, keys: list[str]) -> None:
    assert with_no_schedule(given, STAMP) == [taint(key, "NoSchedule") for key in keys]


def test_no_schedule_taints_go_with_their_cause_and_others_stay() -> None:
    mine, evicting = taint("mine", "NoSchedule"), taint(NOT_READY, "NoExecute")
    old, kept = taint(NOT_READY, "NoSchedule"), taint(UNREACHABLE, "NoSchedule")
    kept["timeAdded"] = "2025-12-31T00:00:00Z"
    given = node({"Ready": "Unknown"}, [mine, evicting, old, kept])

    assert with_no_schedule(given, STAMP) == [mine, evicting, kept]


@pytest.mark.parametrize(
    ("given", "key"),
    [
        (node({"Ready": "True"}), ""),
        (node({"Ready": "False"}), NOT_READY),
        (node({"Ready": "Unknown"}), UNREACHABLE),
        (node(), None),
    ],
)
def test_evicting_taint_follows_readiness(given: Object, key: str | None) -> None:
    assert evicting_key(given) == key


@pytest.mark.parametrize("key", [NOT_READY, UNREACHABLE, ""])
def test_one_taint_evicts_at_a_time(key: str) -> None:
    mine, scheduling = taint("mine", "NoExecute"), taint(NOT_READY, "NoSchedule")
    both = [taint(NOT_READY, "NoExecute"), taint(UNREACHABLE, "NoExecute")]
    wanted = [mine, scheduling, *([taint(key, "NoExecute")] if key else [])]

    assert with_no_execute(node(taints=[mine, scheduling, *both]), key, STAMP) == wanted
    assert with_no_execute(node(taints=[mine, scheduling]), key, STAMP) == wanted


@pytest.mark.parametrize(
    ("labels", "missing"),
    [
        ({}, {}),
        ({"kubernetes.io/os": "linux"}, {"beta.kubernetes.io/os": "linux"}),
        (
            {"kubernetes.io/arch": "arm64", "beta.kubernetes.io/arch": "amd64"},
            {"beta.kubernetes.io/arch": "arm64"},
        ),
        ({"kubernetes.io/os": "linux", "beta.kubernetes.io/os": "linux"}, {}),
    ],
)
def test_old_label_names(labels: dict[str, str], missing: dict[str, str]) -> None:
    assert missing_labels(node(labels=labels)) == missing


@pytest.mark.parametrize(
    ("ready", "lost", "state"),
    [
        (1, 0, ZoneState.NORMAL),
        (1, 1, ZoneState.NORMAL),
        (0, 1, ZoneState.FULL),
        (1, 2, ZoneState.NORMAL),
        (2, 3, ZoneState.PARTIAL),
        (3, 3, ZoneState.NORMAL),
    ],
)
def test_state_of_a_zone(ready: int, lost: int, state: ZoneState) -> None:
    nodes = [node({"Ready": "True"})] * ready + [node({"Ready": "False"})] * lost

    assert zone_states(nodes, RATES.threshold) == {"": state}


def test_zones_are_judged_apart_and_excluded_nodes_not_at_all() -> None:
    here = {"topology.kubernetes.io/region": "r", "topology.kubernetes.io/zone": "a"}
    there = here | {"topology.kubernetes.io/zone": "b"}
    nodes = [
        node({"Ready": "True"}, labels=here),
        node(labels=there),
        node({"Ready": "True"}, labels=there | {EXCLUDED_LABEL: ""}),
    ]

    states = zone_states(nodes, RATES.threshold)

    assert states == {
        zone_of(nodes[0]): ZoneState.NORMAL,
        zone_of(nodes[1]): ZoneState.FULL,
    }
    assert not all_lost(states)
    assert all_lost({"a": ZoneState.FULL, "b": ZoneState.FULL})
    assert not all_lost({})


@pytest.mark.parametrize(
    ("state", "size", "rate"),
    [
        (ZoneState.NORMAL, 1000, 0.1),
        (ZoneState.FULL, 3, 0.1),
        (ZoneState.PARTIAL, 50, 0.0),
        (ZoneState.PARTIAL, 51, 0.01),
    ],
)
def test_pace_of_eviction(state: ZoneState, size: int, rate: float) -> None:
    assert eviction_rate(state, size, RATES) == rate
