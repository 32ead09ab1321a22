"""The status of a Deployment: when it progresses, completes, times out, pauses."""

from datetime import UTC, datetime
from typing import Any

import pytest

from control_plane.api.objects import Object
from control_plane.controllers.conditions import find
from control_plane.controllers.deployment.progress import (
    paused_conditions,
    rollout_status,
    seconds_to_deadline,
)
from tests.control_plane.controllers.workloads import deployment

NOW = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
EARLIER = "2026-01-02T11:00:00Z"
JUST_NOW = "2026-01-02T11:59:00Z"


def replicaset(size: int, available: int, *conditions: Object) -> Object:
    return {
        "metadata": {"name": "web-1"},
        "spec": {"replicas": size},
        "status": {
            "replicas": size,
            "readyReplicas": available,
            "availableReplicas": available,
            "terminatingReplicas": 0,
            "conditions": list(conditions),
        },
    }


def progressing(reason: str, status: str = "True", at: str = EARLIER) -> Object:
    return {
        "type": "Progressing",
        "status": status,
        "reason": reason,
        "lastUpdateTime": at,
        "lastTransitionTime": EARLIER,
    }


def stored(*conditions: Object, **counts: int) -> Object:
    made = deployment("ns", 3, progressDeadlineSeconds=600)
    made["metadata"]["generation"] = 2
    made["status"] = {"conditions": list(conditions), **counts}
    return made


def reason(status: dict[str, Any]) -> str:
    return str((find(status["conditions"], "Progressing") or {}).get("reason"))


@pytest.mark.parametrize(
    ("given", "new", "expected"),
    [
        pytest.param(stored(), replicaset(3, 3), "NewReplicaSetAvailable", id="complete"),
        pytest.param(stored(), replicaset(1, 0), "ReplicaSetUpdated", id="grew"),
        pytest.param(
            stored(progressing("ReplicaSetUpdated"), updatedReplicas=1, replicas=1),
            replicaset(1, 0),
            "ProgressDeadlineExceeded",
            id="timed-out",
        ),
        pytest.param(
            stored(progressing("ReplicaSetUpdated", at=JUST_NOW), updatedReplicas=1, replicas=1),
            replicaset(1, 0),
            "ReplicaSetUpdated",
            id="still-has-time",
        ),
        pytest.param(
            stored(progressing("NewReplicaSetAvailable"), updatedReplicas=3, replicas=3),
            replicaset(3, 1),
            "NewReplicaSetAvailable",
            id="lost-pods-are-no-new-rollout",
        ),
    ],
)
def test_progress(given: Object, new: Object, expected: str) -> None:
    assert reason(rollout_status(given, new, [new], NOW)) == expected


def test_counts_and_availability() -> None:
    old, new = replicaset(2, 2), replicaset(1, 0)

    status = rollout_status(stored(collisionCount=4), new, [old, new], NOW)

    counts = {name: value for name, value in status.items() if name != "conditions"}
    assert counts == {
        "observedGeneration": 2,
        "replicas": 3,
        "updatedReplicas": 1,
        "readyReplicas": 2,
        "availableReplicas": 2,
        "unavailableReplicas": 1,
        "terminatingReplicas": 0,
        "collisionCount": 4,
    }
    available = find(status["conditions"], "Available")
    assert available is not None
    assert (available["status"], available["reason"]) == ("True", "MinimumReplicasAvailable")


def test_terminating_pods_are_not_counted_unless_every_replicaset_tells() -> None:
    silent = replicaset(1, 1)
    del silent["status"]["terminatingReplicas"]

    assert "terminatingReplicas" not in rollout_status(stored(), silent, [silent], NOW)


def test_refresh_moves_the_update_time_only() -> None:
    given = stored(progressing("ReplicaSetUpdated"))

    status = rollout_status(given, replicaset(1, 0), [replicaset(1, 0)], NOW)

    condition = find(status["conditions"], "Progressing")
    assert condition is not None
    assert condition["lastTransitionTime"] == EARLIER
    assert condition["lastUpdateTime"] == "2026-01-02T12:00:00Z"


def test_without_a_deadline_there_is_no_progress_to_report() -> None:
    given = stored(progressing("ReplicaSetUpdated"))
    given["spec"]["progressDeadlineSeconds"] = 2**31 - 1

    assert reason(rollout_status(given, replicaset(1, 0), [replicaset(1, 0)], NOW)) == "None"


def test_failure_of_a_replicaset_shows_and_goes() -> None:
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}
    failing = replicaset(3, 0, failure)

    status = rollout_status(stored(), failing, [failing], NOW)
    assert find(status["conditions"], "ReplicaFailure") == failure

    well = rollout_status(stored() | {"status": status}, replicaset(3, 3), [], NOW)
    assert find(well["conditions"], "ReplicaFailure") is None


def test_unchanged_status_is_looked_at_again_after_the_deadline() -> None:
    given = stored(progressing("ReplicaSetUpdated", at=JUST_NOW))
    status = {"conditions": given["status"]["conditions"]}

    assert seconds_to_deadline(given, status, NOW) == 541.0
    exceeded = {"conditions": [progressing("ProgressDeadlineExceeded", "False")]}
    assert seconds_to_deadline(given, exceeded, NOW) is None


@pytest.mark.parametrize(
    ("paused", "reason_before", "expected"),
    [
        pytest.param(True, "ReplicaSetUpdated", "DeploymentPaused", id="pause"),
        pytest.param(False, "DeploymentPaused", "DeploymentResumed", id="resume"),
        pytest.param(True, "DeploymentPaused", None, id="paused-already"),
        pytest.param(True, "ProgressDeadlineExceeded", None, id="late-stays-late"),
        pytest.param(False, "ReplicaSetUpdated", None, id="running"),
    ],
)
def test_pause_shows_in_the_progress(
    paused: bool, reason_before: str, expected: str | None
) -> None:
    given = stored(progressing(reason_before))
    given["spec"]["paused"] = paused

    conditions = paused_conditions(given, NOW)

    shown = None if conditions is None else reason({"conditions": conditions})
    assert shown == expected
