"""Deployment arithmetic as tables: sizes, rolling steps, scaling outside a rollout, history."""

from typing import Any

import pytest

from control_plane.api.objects import Object, annotations_of, name_of
from control_plane.controllers.deployment.history import plan_cleanup
from control_plane.controllers.deployment.revisions import (
    REVISION,
    REVISION_HISTORY,
    find_new,
    former_replicasets,
    new_replicaset,
    next_revision,
    synced,
)
from control_plane.controllers.deployment.rolling import old_pods_run, plan_new, plan_olds
from control_plane.controllers.deployment.scaling import needs_scaling, plan_scaling
from control_plane.controllers.deployment.sizes import Sizes, sizes_of
from control_plane.controllers.deployment.template_hash import pod_template_hash
from tests.control_plane.controllers.workloads import deployment, pod_template


def rs(
    name: str,
    size: int,
    available: int | None = None,
    *,
    desired: int | None = None,
    most: int | None = None,
    age: int = 0,
) -> Object:
    """A ReplicaSet of `size` pods; the higher `age`, the older."""
    annotations = {}
    if desired is not None:
        annotations["deployment.kubernetes.io/desired-replicas"] = str(desired)
    if most is not None:
        annotations["deployment.kubernetes.io/max-replicas"] = str(most)
    available = size if available is None else available
    return {
        "metadata": {
            "name": name,
            "uid": name,
            "annotations": annotations,
            "creationTimestamp": f"2026-01-02T03:04:{59 - age:02}Z",
            "generation": 1,
        },
        "spec": {"replicas": size},
        "status": {
            "replicas": size,
            "availableReplicas": available,
            "observedGeneration": 1,
        },
    }


def rolling(surge: Any, unavailable: Any, replicas: int = 10) -> Object:
    parameters = {"maxSurge": surge, "maxUnavailable": unavailable}
    strategy = {"type": "RollingUpdate", "rollingUpdate": parameters}
    return deployment("ns", replicas, strategy=strategy)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(rolling("25%", "25%"), Sizes(10, 3, 2), id="surge-up-unavailable-down"),
        pytest.param(rolling(1, 0), Sizes(10, 1, 0), id="numbers"),
        pytest.param(rolling(0, 0), Sizes(10, 0, 1), id="both-zero-makes-one-unavailable"),
        pytest.param(rolling("0%", "1%"), Sizes(10, 0, 1), id="both-resolve-to-zero"),
        pytest.param(rolling(1, 20), Sizes(10, 1, 10), id="unavailable-capped"),
        pytest.param(rolling("25%", "25%", 0), Sizes(0, 0, 0), id="no-replicas"),
        pytest.param(
            deployment("ns", 4, strategy={"type": "Recreate"}), Sizes(4, 0, 0), id="recreate"
        ),
    ],
)
def test_sizes(given: Object, expected: Sizes) -> None:
    assert sizes_of(given) == expected


def steps(scales: Any) -> dict[str, int]:
    return {name_of(scale.replicaset): scale.replicas for scale in scales}


@pytest.mark.parametrize(
    ("sizes", "new", "olds", "expected"),
    [
        pytest.param(Sizes(10, 3, 2), rs("n", 0), [rs("o", 10)], {"n": 3}, id="up-to-the-surge"),
        pytest.param(Sizes(10, 3, 2), rs("n", 3), [rs("o", 8)], {"n": 5}, id="room-made-by-old"),
        pytest.param(Sizes(10, 3, 2), rs("n", 3), [rs("o", 10)], {}, id="no-room"),
        pytest.param(Sizes(10, 3, 2), rs("n", 9), [], {"n": 10}, id="no-further-than-replicas"),
        pytest.param(Sizes(5, 1, 0), rs("n", 8), [], {"n": 5}, id="down-at-once"),
        pytest.param(Sizes(5, 1, 0), rs("n", 5), [rs("o", 1)], {}, id="as-wanted"),
    ],
)
def test_growth_of_the_new_replicaset(
    sizes: Sizes, new: Object, olds: list[Object], expected: dict[str, int]
) -> None:
    assert steps(plan_new(sizes, new, olds)) == expected


@pytest.mark.parametrize(
    ("sizes", "new", "olds", "expected"),
    [
        pytest.param(Sizes(10, 3, 2), rs("n", 3, 0), [rs("o", 10)], {"o": 8}, id="unavailable"),
        pytest.param(Sizes(3, 1, 0), rs("n", 1, 0), [rs("o", 3)], {}, id="new-not-yet-available"),
        pytest.param(Sizes(3, 1, 0), rs("n", 1, 1), [rs("o", 3)], {"o": 2}, id="one-for-one"),
        pytest.param(
            Sizes(10, 0, 2), rs("n", 0), [rs("o", 10, 4)], {"o": 8}, id="unhealthy-pods-first"
        ),
        pytest.param(
            Sizes(4, 2, 0),
            rs("n", 4, 4),
            [rs("older", 1, 0, age=9), rs("old", 1, 1, age=3)],
            {"older": 0, "old": 0},
            id="several-old-ones",
        ),
        pytest.param(
            Sizes(4, 2, 2),
            rs("n", 2, 2),
            [rs("older", 1, 1, age=9), rs("old", 3, 0, age=3)],
            {"older": 0, "old": 0},
            id="oldest-first",
        ),
    ],
)
def test_shrinking_of_the_old_replicasets(
    sizes: Sizes, new: Object, olds: list[Object], expected: dict[str, int]
) -> None:
    assert steps(plan_olds(sizes, new, olds)) == expected


SCALE_CASES = [
    pytest.param(Sizes(5, 1, 1), rs("n", 3), [], {"n": 5}, id="only-one"),
    pytest.param(Sizes(5, 1, 1), rs("n", 5), [], {}, id="nothing-to-do"),
    pytest.param(Sizes(5, 1, 1), rs("n", 0), [rs("o", 3)], {"o": 5}, id="only-active-is-old"),
    pytest.param(Sizes(5, 1, 1), None, [rs("o", 0, age=5), rs("p", 0)], {"p": 5}, id="newest-old"),
    pytest.param(Sizes(5, 1, 1), rs("n", 5, desired=5), [rs("o", 2)], {"o": 0}, id="saturated-new"),
    pytest.param(
        Sizes(20, 0, 0),
        rs("n", 5, most=10),
        [rs("o", 5, most=10, age=1)],
        {"n": 10, "o": 10},
        id="doubled-evenly",
    ),
    pytest.param(
        Sizes(7, 0, 0),
        rs("n", 5, most=10),
        [rs("o", 5, most=10, age=1)],
        {"o": 3, "n": 4},
        id="older-gives-the-rounding",
    ),
    pytest.param(
        Sizes(15, 3, 2),
        rs("n", 5, most=13),
        [rs("o", 8, most=13, age=1)],
        {"o": 11, "n": 7},
        id="in-the-middle-of-a-rollout",
    ),
    pytest.param(
        Sizes(0, 0, 0),
        rs("n", 5, most=10),
        [rs("o", 5, most=10, age=1)],
        {"n": 0, "o": 0},
        id="to-nothing",
    ),
]


@pytest.mark.parametrize(("sizes", "new", "olds", "expected"), SCALE_CASES)
def test_scaling_outside_a_rollout(
    sizes: Sizes, new: Object | None, olds: list[Object], expected: dict[str, int]
) -> None:
    assert steps(plan_scaling(rolling(1, 1), sizes, new, olds)) == expected


def test_active_replicaset_of_another_size_needs_scaling() -> None:
    assert needs_scaling(Sizes(5, 1, 1), [rs("n", 3, desired=3)])
    assert not needs_scaling(Sizes(5, 1, 1), [rs("n", 5, desired=5), rs("o", 0, desired=3)])
    assert not needs_scaling(Sizes(5, 1, 1), [rs("n", 3)])


def test_recreate_waits_for_old_pods_that_still_run() -> None:
    running, ended = {"status": {"phase": "Running"}}, {"status": {"phase": "Failed"}}
    idle = rs("o", 0)

    assert old_pods_run(None, [rs("o", 1)], [])
    assert old_pods_run(rs("n", 1), [idle], [("o", running)])
    assert not old_pods_run(rs("n", 1), [idle], [("o", ended), ("n", running)])


def revisions(*pairs: tuple[str, int]) -> list[Object]:
    found = [rs(name, 0) for name, _ in pairs]
    for one, (_, number) in zip(found, pairs, strict=True):
        one["metadata"]["annotations"][REVISION] = str(number)
    return found


def test_history_beyond_the_limit_is_deleted_oldest_revision_first() -> None:
    olds = revisions(("a", 10), ("b", 9), ("c", 2), ("d", 1))
    busy = olds[3]
    busy["status"]["replicas"] = 1

    limited = plan_cleanup(deployment("ns", revisionHistoryLimit=1), olds)

    assert [name_of(one) for one in limited] == ["c", "b"]
    assert plan_cleanup(deployment("ns", revisionHistoryLimit=2**31 - 1), olds) == []
    assert plan_cleanup(deployment("ns", revisionHistoryLimit=4), olds) == []


def with_template(name: str, image: str, age: int = 0) -> Object:
    made = rs(name, 1, age=age)
    template = pod_template({"app": "web", "pod-template-hash": name}, image)
    made["spec"]["template"] = template
    return made


def test_new_replicaset_is_the_oldest_with_the_same_template() -> None:
    found = [
        with_template("other", "app:2", 5),
        with_template("late", "app:1", 1),
        with_template("early", "app:1", 3),
    ]

    new = find_new(deployment("ns"), found)

    assert new is not None
    assert name_of(new) == "early"
    assert {name_of(one) for one in former_replicasets(found, new)} == {"other", "late"}


def test_returning_template_gets_a_new_revision_and_keeps_its_past() -> None:
    found = with_template("web-1", "app:1")
    found["metadata"]["annotations"][REVISION] = "1"
    given = deployment("ns", minReadySeconds=5)
    given["metadata"]["annotations"] = {
        "note": "x",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
    }

    after = synced(given, found, next_revision(revisions(("b", 2))))

    annotations = annotations_of(after)
    assert (annotations[REVISION], annotations[REVISION_HISTORY]) == ("3", "1")
    assert annotations["note"] == "x"
    assert "kubectl.kubernetes.io/last-applied-configuration" not in annotations
    assert after["spec"]["minReadySeconds"] == 5


def test_new_replicaset_is_marked_with_the_hash_of_its_template() -> None:
    made = new_replicaset(deployment("ns", replicas=4), 7, 2)

    suffix = made["metadata"]["labels"]["pod-template-hash"]
    assert made["metadata"]["name"] == f"web-{suffix}"
    assert made["spec"]["selector"]["matchLabels"] == {"app": "web", "pod-template-hash": suffix}
    assert made["spec"]["template"]["metadata"]["labels"]["pod-template-hash"] == suffix
    assert annotations_of(made)["deployment.kubernetes.io/desired-replicas"] == "4"
    assert annotations_of(made)[REVISION] == "7"


def test_template_hash_is_stable_and_differs() -> None:
    one, other = pod_template({"a": "b"}, "x"), pod_template({"a": "b"}, "y")

    assert pod_template_hash(one) == pod_template_hash(one | {"metadata": one["metadata"] | {}})
    assert pod_template_hash(one) == pod_template_hash(one | {"status": None})
    assert pod_template_hash(one) != pod_template_hash(other)
    assert pod_template_hash(one) != pod_template_hash(one, 1)
    assert set(pod_template_hash(one)) <= set("bcdfghjklmnpqrstvwxz2456789")
