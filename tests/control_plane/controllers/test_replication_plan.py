"""Which pods a ReplicaSet creates and deletes, and what it reports, as tables."""

from datetime import UTC, datetime
from typing import Any

import pytest

from control_plane.api.objects import Object, name_of
from control_plane.controllers.replication.plan import BURST, plan
from control_plane.controllers.replication.ranking import DELETION_COST, ranked_for_deletion
from control_plane.controllers.replication.status import (
    Observed,
    seconds_to_next_available,
    status_of,
)
from tests.control_plane.controllers.workloads import replicaset

NOW = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)


def pod(
    name: str,
    *,
    node: str = "n1",
    phase: str = "Running",
    ready: str | None = "2026-01-02T10:00:00Z",
    created: str = "2026-01-02T09:00:00Z",
    cost: str = "",
    restarts: int = 0,
) -> Object:
    conditions: list[Any] = []
    if ready:
        conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": ready}]
    return {
        "metadata": {
            "name": name,
            "uid": name,
            "creationTimestamp": created,
            "labels": {"app": "rs"},
            "annotations": {DELETION_COST: cost} if cost else {},
        },
        "spec": {"nodeName": node},
        "status": {
            "phase": phase,
            "conditions": conditions,
            "containerStatuses": [{"name": "app", "restartCount": restarts}],
        },
    }


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(pod("x", node=""), pod("y"), id="unassigned"),
        pytest.param(pod("x", phase="Pending"), pod("y", phase="Unknown"), id="pending"),
        pytest.param(pod("x", phase="Unknown"), pod("y"), id="unknown"),
        pytest.param(pod("x", ready=None), pod("y"), id="not-ready"),
        pytest.param(pod("x", cost="-5"), pod("y"), id="cheap"),
        pytest.param(pod("x"), pod("y", cost="5"), id="dear"),
        pytest.param(pod("x", node="crowded"), pod("y"), id="crowded-node"),
        pytest.param(pod("y", ready="2026-01-02T11:59:00Z"), pod("x"), id="recently-ready"),
        pytest.param(pod("x", restarts=3), pod("y", restarts=1), id="often-restarted"),
        pytest.param(
            pod("y", ready=None, created="2026-01-02T11:59:00Z"), pod("x", ready=None), id="young"
        ),
        pytest.param(
            pod("a", ready="2026-01-02T10:00:00Z"),
            pod("b", ready="2026-01-02T10:01:00Z"),
            id="about-the-same-age-by-uid",
        ),
        pytest.param(
            pod("a", cost="nonsense"),
            pod("b", cost="", restarts=0, created="2026-01-02T09:00:01Z"),
            id="bad-cost-counts-as-zero",
        ),
    ],
)
def test_pod_deleted_first(first: Object, second: Object) -> None:
    crowded = {"crowded": 2, "n1": 1}

    for given in ([first, second], [second, first]):
        assert ranked_for_deletion(given, crowded, NOW) == [first, second]


def test_too_few_pods_are_created_in_bursts_of_500() -> None:
    assert plan(replicaset("ns", 3), [pod("a")], {}, NOW).create == 2
    assert plan(replicaset("ns", 2000), [], {}, NOW).create == BURST


def test_too_many_pods_are_deleted_by_rank() -> None:
    pods = [pod("ready"), pod("unready", ready=None), pod("pending", phase="Pending", ready=None)]

    assert list(map(name_of, plan(replicaset("ns", 2), pods, {}, NOW).delete)) == ["pending"]
    assert len(plan(replicaset("ns", 0), pods, {}, NOW).delete) == 3
    assert plan(replicaset("ns", 3), pods, {}, NOW).delete == ()


def test_status_counts() -> None:
    owner = replicaset("ns", 3, minReadySeconds=60)
    owner["metadata"]["generation"] = 4
    fresh = pod("fresh", ready="2026-01-02T11:59:30Z")
    other = pod("other", ready=None)
    other["metadata"]["labels"] = {}

    status = status_of(owner, Observed([pod("a"), fresh, other], terminating=2), NOW)

    assert status == {
        "replicas": 3,
        "fullyLabeledReplicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 1,
        "observedGeneration": 4,
        "terminatingReplicas": 2,
    }
    assert seconds_to_next_available(owner, [pod("a"), fresh, other], NOW) == 30.0
    assert seconds_to_next_available(owner, [pod("a")], NOW) is None


@pytest.mark.parametrize(
    ("count", "reason"), [pytest.param(1, "FailedCreate"), pytest.param(5, "FailedDelete")]
)
def test_failure_is_reported_once_and_then_dropped(count: int, reason: str) -> None:
    owner = replicaset("ns", 3)
    pods = [pod(str(number)) for number in range(count)]

    owner["status"] = status_of(owner, Observed(pods, failure="quota"), NOW)
    (condition,) = owner["status"]["conditions"]
    assert (condition["reason"], condition["message"]) == (reason, "quota")

    again = status_of(owner, Observed(pods, failure="another"), NOW)
    assert again["conditions"] == [condition]
    assert status_of(owner, Observed(pods), NOW)["conditions"] == []
