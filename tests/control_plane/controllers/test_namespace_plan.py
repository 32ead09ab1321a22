"""What a namespace that is being deleted reports and waits for, as tables."""

from typing import Any

import pytest

from control_plane.api.objects import Object
from control_plane.api.resources import DEPLOYMENTS, PODS, Resource
from control_plane.controllers.namespace.conditions import Progress, updated
from control_plane.controllers.namespace.content import count_remaining, grace_left

TYPES = [
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure",
    "NamespaceContentRemaining",
    "NamespaceFinalizersRemaining",
]
EARLY, LATE = "2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z"


def test_all_five_are_reported_in_order_when_all_is_well() -> None:
    found = updated([], Progress(), EARLY)

    assert [(one["type"], one["status"], one["reason"]) for one in found] == [
        (TYPES[0], "False", "ResourcesDiscovered"),
        (TYPES[1], "False", "ParsedGroupVersions"),
        (TYPES[2], "False", "ContentDeleted"),
        (TYPES[3], "False", "ContentRemoved"),
        (TYPES[4], "False", "ContentHasNoFinalizers"),
    ]
    assert found[3]["message"] == "All content successfully removed"


@pytest.mark.parametrize(
    ("progress", "number", "reason", "message"),
    [
        pytest.param(
            Progress(failures=["no", "nor that"]),
            2,
            "ContentDeletionFailed",
            "Failed to delete all resource types, 2 remaining: no, nor that",
            id="failures",
        ),
        pytest.param(
            Progress(remaining={"pods.": 1, "deployments.apps": 2}),
            3,
            "SomeResourcesRemain",
            "Some resources are remaining: deployments.apps has 2 resource instances, "
            "pods. has 1 resource instances",
            id="content",
        ),
        pytest.param(
            Progress(finalizers={"b/x": 3, "a/x": 1}),
            4,
            "SomeFinalizersRemain",
            "Some content in the namespace has finalizers remaining: "
            "a/x in 1 resource instances, b/x in 3 resource instances",
            id="finalizers",
        ),
    ],
)
def test_what_is_in_the_way_is_named(
    progress: Progress, number: int, reason: str, message: str
) -> None:
    found = updated([], progress, EARLY)

    assert (found[number]["reason"], found[number]["message"]) == (reason, message)
    assert [one["status"] == "True" for one in found] == [n == number for n in range(5)]


def test_a_time_moves_with_its_status_only_and_other_conditions_stay() -> None:
    mine = {"type": "Mine", "status": "True"}
    first = updated([mine], Progress(failures=["a"]), EARLY)
    second = updated(first, Progress(failures=["b"], remaining={"pods.": 1}), LATE)

    assert [one["type"] for one in second] == ["Mine", *TYPES]
    assert [one.get("lastTransitionTime") for one in second] == [
        None,
        EARLY,
        EARLY,
        EARLY,
        LATE,
        EARLY,
    ]
    assert second[3]["message"].endswith("1 remaining: b")


def pod(phase: str, grace: int) -> Object:
    return {"status": {"phase": phase}, "spec": {"terminationGracePeriodSeconds": grace}}


@pytest.mark.parametrize(
    ("pods", "passed", "left"),
    [
        ([], 0.0, 0.0),
        ([pod("Running", 30), pod("Running", 5)], 10.0, 30.0),
        ([pod("Succeeded", 300), pod("Failed", 300), pod("Running", 5)], 0.0, 5.0),
        ([pod("Running", 30)], 30.0, 0.0),
    ],
)
def test_grace_left(pods: list[Object], passed: float, left: float) -> None:
    assert grace_left(pods, passed) == left


def held(*finalizers: str) -> Object:
    return {"metadata": {"finalizers": list(finalizers)}}


@pytest.mark.parametrize(
    ("resource", "left", "grace", "expected"),
    [
        pytest.param(PODS, [], 30.0, Progress(), id="nothing"),
        pytest.param(
            PODS, [held()], 30.0, Progress(remaining={"pods.": 1}, estimate=30.0), id="grace"
        ),
        pytest.param(
            DEPLOYMENTS,
            [held("a/x", "b/x"), held("a/x"), held()],
            0.0,
            Progress(
                remaining={"deployments.apps": 3},
                finalizers={"a/x": 2, "b/x": 1},
                estimate=15.0,
            ),
            id="finalizers",
        ),
        pytest.param(
            PODS,
            [held()],
            0.0,
            Progress(
                remaining={"pods.": 1},
                failures=[
                    "unexpected items still remain in namespace: ns for gvr: /v1, Resource=pods"
                ],
            ),
            id="unexpected core",
        ),
        pytest.param(
            DEPLOYMENTS,
            [held()],
            0.0,
            Progress(
                remaining={"deployments.apps": 1},
                failures=[
                    "unexpected items still remain in namespace: ns "
                    "for gvr: apps/v1, Resource=deployments"
                ],
            ),
            id="unexpected",
        ),
    ],
)
def test_what_remains(
    resource: Resource, left: list[Any], grace: float, expected: Progress
) -> None:
    progress = Progress()

    count_remaining(progress, resource, "ns", left, grace)

    assert progress == expected
