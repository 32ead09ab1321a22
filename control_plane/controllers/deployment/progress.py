"""The status of a Deployment: counts, availability, progress and its deadline. Pure.

Source: kubernetes pkg/controller/deployment/sync.go (calculateStatus), progress.go,
deployment_util.go.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from control_plane.api.objects import Object, dig, name_of
from control_plane.api.timestamps import format_time, parse
from control_plane.controllers.conditions import (
    condition,
    find,
    with_condition,
    without_condition,
)
from control_plane.controllers.counts import nonzero
from control_plane.controllers.deployment.sizes import sizes_of, spec_replicas, total

AVAILABLE = "Available"
PROGRESSING = "Progressing"
FAILURE = "ReplicaFailure"
NEW_AVAILABLE = "NewReplicaSetAvailable"
TIMED_OUT = "ProgressDeadlineExceeded"
PAUSED = "DeploymentPaused"
RESUMED = "DeploymentResumed"
NO_DEADLINE = 2**31 - 1
Status = dict[str, Any]


def has_deadline(deployment: Object) -> bool:
    """Whether progress is watched at all."""
    deadline = dig(deployment, "spec", "progressDeadlineSeconds", default=NO_DEADLINE)
    return bool(deadline != NO_DEADLINE)


def counted_status(
    deployment: Object, new: Object | None, everyone: Sequence[Object], now: datetime
) -> Status:
    """Return the counts, and whether enough pods are available; the rest is carried over."""
    available = total(everyone, "status", "availableReplicas")
    news = [new] if new else []
    status: Status = nonzero(
        observedGeneration=dig(deployment, "metadata", "generation", default=0),
        replicas=total(everyone, "status", "replicas"),
        updatedReplicas=total(news, "status", "replicas"),
        readyReplicas=total(everyone, "status", "readyReplicas"),
        availableReplicas=available,
        unavailableReplicas=max(0, total(everyone, "spec", "replicas") - available),
    )
    status["conditions"] = _availability(deployment, available, now)
    terminating = [dig(one, "status", "terminatingReplicas") for one in everyone]
    if None not in terminating:
        status["terminatingReplicas"] = sum(terminating)
    if (collisions := dig(deployment, "status", "collisionCount")) is not None:
        status["collisionCount"] = collisions
    return status


def _availability(deployment: Object, available: int, now: datetime) -> list[Object]:
    old = dig(deployment, "status", "conditions", default=[])
    if available >= sizes_of(deployment).min_available:
        verdict = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        verdict = (
            "False",
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
        )
    return with_condition(old, condition(AVAILABLE, *verdict, format_time(now)))


def rollout_status(
    deployment: Object, new: Object | None, everyone: Sequence[Object], now: datetime
) -> Status:
    """Return the whole status during a rollout."""
    status = counted_status(deployment, new, everyone, now)
    conditions = _progress(deployment, new, status, now)
    failure = _replica_failure(new, everyone)
    if failure is None:
        status["conditions"] = without_condition(conditions, FAILURE)
    else:
        status["conditions"] = with_condition(conditions, failure)
    return status


def _progress(
    deployment: Object, new: Object | None, status: Status, now: datetime
) -> list[Object]:
    """Return the conditions with Progressing as it is now; removed when nobody asks."""
    conditions: list[Object] = status["conditions"]
    if not has_deadline(deployment):
        return without_condition(conditions, PROGRESSING)
    current = find(dig(deployment, "status", "conditions", default=[]), PROGRESSING)
    settled = status.get("replicas", 0) == status.get("updatedReplicas", 0)
    if settled and current and current.get("reason") == NEW_AVAILABLE:
        return conditions
    subject = f'ReplicaSet "{name_of(new)}"' if new else f'Deployment "{name_of(deployment)}"'
    if is_complete(deployment, status):
        text = f"{subject} has successfully progressed."
        done = condition(PROGRESSING, "True", NEW_AVAILABLE, text, format_time(now))
        return with_condition(conditions, done)
    if _has_progressed(deployment, status):
        text = f"{subject} is progressing."
        return _refreshed(conditions, current, text, now)
    if _has_timed_out(deployment, conditions, now):
        text = f"{subject} has timed out progressing."
        late = condition(PROGRESSING, "False", TIMED_OUT, text, format_time(now))
        return with_condition(conditions, late)
    return conditions


def _refreshed(
    conditions: Sequence[Object], current: Object | None, text: str, now: datetime
) -> list[Object]:
    """Replace Progressing; its lastUpdateTime moves, its lastTransitionTime only from not True."""
    fresh = condition(PROGRESSING, "True", "ReplicaSetUpdated", text, format_time(now))
    if current and current["status"] == "True":
        fresh["lastTransitionTime"] = current.get("lastTransitionTime")
    return [*without_condition(conditions, PROGRESSING), fresh]


def is_complete(deployment: Object, status: Status) -> bool:
    """Whether all replicas are of the present template and available."""
    wanted = spec_replicas(deployment)
    counts = ("updatedReplicas", "replicas", "availableReplicas")
    return all(status.get(count, 0) == wanted for count in counts) and (
        status.get("observedGeneration", 0) >= dig(deployment, "metadata", "generation", default=0)
    )


def _has_progressed(deployment: Object, status: Status) -> bool:
    """Whether new pods came, old ones went, or more are ready than the stored status says."""
    before = deployment.get("status") or {}

    def grew(count: str) -> bool:
        return bool(status.get(count, 0) > before.get(count, 0))

    def outdated(counts: Status) -> int:
        return int(counts.get("replicas", 0) - counts.get("updatedReplicas", 0))

    shrank = outdated(status) < outdated(before)
    return shrank or any(map(grew, ("updatedReplicas", "readyReplicas", "availableReplicas")))


def _has_timed_out(deployment: Object, conditions: Sequence[Object], now: datetime) -> bool:
    current = find(conditions, PROGRESSING)
    if current is None or current.get("reason") == NEW_AVAILABLE:
        return False
    if current.get("reason") == TIMED_OUT:
        return True
    return deadline_of(deployment, current) < now


def deadline_of(deployment: Object, progressing: Object) -> datetime:
    """Return when the next progress is due."""
    since: datetime = parse(progressing["lastUpdateTime"])
    return since + timedelta(seconds=deployment["spec"]["progressDeadlineSeconds"])


def seconds_to_deadline(deployment: Object, status: Status, now: datetime) -> float | None:
    """Return when to look at an unchanged status again; None when no deadline is running."""
    current = find(status["conditions"], PROGRESSING)
    if current is None or not has_deadline(deployment) or is_complete(deployment, status):
        return None
    if current.get("reason") in (TIMED_OUT, NEW_AVAILABLE):
        return None
    return max(0.0, (deadline_of(deployment, current) - now).total_seconds()) + 1.0


def _replica_failure(new: Object | None, everyone: Sequence[Object]) -> Object | None:
    """Return the failure condition that a ReplicaSet reports, the new one's first."""
    for replicaset in [*([new] if new else []), *everyone]:
        reported = dig(replicaset, "status", "conditions", default=[])
        if found := find(reported, FAILURE):
            return dict(found)
    return None


def paused_conditions(deployment: Object, now: datetime) -> list[Object] | None:
    """Return the conditions after a pause or resume that they do not show yet; None if they do."""
    if not has_deadline(deployment):
        return None
    conditions = dig(deployment, "status", "conditions", default=[])
    current = find(conditions, PROGRESSING) or {}
    if current.get("reason") == TIMED_OUT:
        return None
    paused = bool(dig(deployment, "spec", "paused", default=False))
    flagged = current.get("reason") == PAUSED
    if paused == flagged:
        return None
    text = ("Deployment is paused", PAUSED) if paused else ("Deployment is resumed", RESUMED)
    return with_condition(
        conditions, condition(PROGRESSING, "Unknown", text[1], text[0], format_time(now))
    )
