"""How many pods of a budget may go, as tables."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from control_plane.api.objects import Object, dig
from control_plane.controllers.disruption.counting import (
    counted,
    current_healthy,
    desired_healthy,
    disrupted_pods,
    failed_safe,
    needs_scale,
)
from control_plane.controllers.disruption.stale_target import stale_at, without_target
from tests.control_plane.controllers.workloads import pod

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STAMP = "2026-01-02T03:04:05Z"
EARLIER = "2026-01-02T03:03:05Z"
LONG_AGO = "2026-01-02T03:02:00Z"


def budget(status: Object | None = None, **spec: Any) -> Object:
    whole = {"selector": {"matchLabels": {"app": "a"}}, **spec}
    return {
        "metadata": {"name": "b", "namespace": "ns", "generation": 3},
        "spec": whole,
        "status": status or {},
    }


def running(name: str, *, ready: bool = True, **metadata: Any) -> Object:
    made = pod("ns", name, {"app": "a"}, **metadata)
    return made | {"status": {"conditions": [{"type": "Ready", "status": str(ready)}]}}


@pytest.mark.parametrize(
    ("spec", "expected", "desired", "asks"),
    [
        ({"minAvailable": 2}, 5, 2, False),
        ({"minAvailable": "50%"}, 5, 3, True),
        ({"minAvailable": "100%"}, 5, 5, True),
        ({"maxUnavailable": 2}, 5, 3, True),
        ({"maxUnavailable": "30%"}, 5, 3, True),
        ({"maxUnavailable": 9}, 5, 0, True),
        ({"maxUnavailable": 0}, 5, 5, True),
        ({}, 5, 0, False),
    ],
)
def test_how_many_must_stay(spec: Object, expected: int, desired: int, *, asks: bool) -> None:
    assert desired_healthy(budget(**spec), expected) == desired
    assert needs_scale(budget(**spec)) is asks


def test_pods_that_are_going_are_not_counted() -> None:
    noted = {"disruptedPods": {"a": EARLIER, "b": LONG_AGO, "c": EARLIER, "gone": EARLIER}}
    pods = [
        running("a"),
        running("b"),
        running("c", deletionTimestamp=STAMP),
        running("d"),
        running("e", ready=False),
    ]
    disrupted = disrupted_pods(budget(noted), pods, NOW)
    assert disrupted.waited_for == {"a": EARLIER}
    assert [dig(pod, "metadata", "name") for pod in disrupted.failed] == ["b"]
    assert disrupted.recheck_at == NOW + timedelta(seconds=60)
    assert current_healthy(pods, disrupted) == 2


def count(found: Object, pods: list[Object], expected: int) -> Object | None:
    disrupted = disrupted_pods(found, pods, NOW)
    changed = counted(found, pods, expected, disrupted, NOW)
    return None if changed is None else changed["status"]


@pytest.mark.parametrize(("ready", "allowed", "reason"), [(2, 1, "Suff"), (1, 0, "Insuff")])
def test_status(ready: int, allowed: int, reason: str) -> None:
    pods = [running("a", ready=ready > 0), running("b", ready=ready > 1)]
    found = budget(minAvailable=1)
    status = count(found, pods, 2)
    assert status == {
        "currentHealthy": ready,
        "desiredHealthy": 1,
        "disruptionsAllowed": allowed,
        "expectedPods": 2,
        "observedGeneration": 3,
        "conditions": [
            {
                "type": "DisruptionAllowed",
                "status": str(allowed > 0),
                "observedGeneration": 3,
                "lastTransitionTime": STAMP,
                "reason": "SufficientPods" if reason == "Suff" else "InsufficientPods",
                "message": "",
            }
        ],
    }
    assert count(found | {"status": status}, pods, 2) is None


def test_nothing_may_go_while_nothing_is_expected() -> None:
    status = count(budget(maxUnavailable=1), [running("a")], 0)
    assert status is not None
    assert (status["currentHealthy"], status["disruptionsAllowed"]) == (1, 0)


def test_an_eviction_is_waited_for_and_forgotten_when_it_is_done() -> None:
    pods = [running("a"), running("b")]
    evicting = count(budget({"disruptedPods": {"a": EARLIER}}, minAvailable=1), pods, 2)
    assert evicting is not None
    assert evicting["disruptedPods"] == {"a": EARLIER}
    assert (evicting["currentHealthy"], evicting["disruptionsAllowed"]) == (1, 0)
    done = count(budget(evicting, minAvailable=1), pods[1:], 1)
    assert done is not None
    assert "disruptedPods" not in done


def test_a_failure_lets_nothing_go_and_keeps_the_counts() -> None:
    before = {"currentHealthy": 2, "desiredHealthy": 1, "disruptionsAllowed": 1, "expectedPods": 2}
    failed = failed_safe(budget(before, maxUnavailable=1), "no scale", NOW)
    (condition,) = failed["status"].pop("conditions")
    assert failed["status"] == {**before, "disruptionsAllowed": 0}
    assert (condition["status"], condition["reason"]) == ("False", "SyncFailed")
    assert condition["message"] == "no scale"
    again = failed_safe(budget({**before, "conditions": [condition]}), "no scale", NOW)
    assert again["status"]["conditions"] == [condition]


def target(reason: str = "EvictionByEvictionAPI", **metadata: Any) -> Object:
    made = running("a", generation=1, **metadata)
    made["status"]["conditions"].append({
        "type": "DisruptionTarget", "status": "True", "reason": reason,
        "lastTransitionTime": EARLIER,
    })  # fmt: skip
    return made


def test_a_pod_that_stays_is_not_a_target_for_ever() -> None:
    assert stale_at(target()) == NOW + timedelta(seconds=60)
    assert stale_at(target(reason="TerminationByKubelet")) is None
    assert stale_at(target(deletionTimestamp=STAMP)) is None
    assert stale_at(running("a")) is None
    ended = target()
    ended["status"]["phase"] = "Failed"
    assert stale_at(ended) is None
    ready, taken_back = without_target(target(), NOW)["status"]["conditions"]
    assert ready["type"] == "Ready"
    assert taken_back == {
        "type": "DisruptionTarget",
        "observedGeneration": 1,
        "status": "False",
        "lastProbeTime": None,
        "lastTransitionTime": STAMP,
    }
