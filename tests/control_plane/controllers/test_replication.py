"""ReplicaSets and ReplicationControllers against a real API server."""

import pytest

from control_plane.api.objects import (
    Object,
    controller_of,
    dig,
    find_condition,
    labels_of,
    name_of,
    uid_of,
)
from control_plane.api.resources import EVENTS, PODS, REPLICASETS, REPLICATIONCONTROLLERS, Resource
from tests.control_plane.controllers.stage import BROKEN, Stage
from tests.control_plane.controllers.workloads import (
    pod,
    pod_template,
    replicaset,
    replicationcontroller,
)

KINDS = [
    pytest.param(REPLICASETS, replicaset("x", name="web"), id="replicaset"),
    pytest.param(REPLICATIONCONTROLLERS, replicationcontroller("x", name="web"), id="rc"),
]


def in_namespace(obj: Object, namespace: str) -> Object:
    return obj | {"metadata": obj["metadata"] | {"namespace": namespace}}


def has_status(stage: Stage, resource: Resource, namespace: str, **counts: int) -> bool:
    found = stage.get(resource, f"{namespace}/web") or {}
    return all(dig(found, "status", name, default=0) == count for name, count in counts.items())


@pytest.mark.parametrize(("resource", "owner"), KINDS)
async def test_number_of_pods_follows_the_spec(
    stage: Stage, resource: Resource, owner: Object
) -> None:
    namespace = await stage.namespace(f"number-{resource.plural}")
    await stage.client.create(resource, in_namespace(owner, namespace))
    await stage.until(
        lambda: has_status(stage, resource, namespace, replicas=2, availableReplicas=2),
        "two available pods",
    )

    await stage.client.patch(resource, "web", {"spec": {"replicas": 4}}, namespace)
    await stage.until(
        lambda: has_status(stage, resource, namespace, readyReplicas=4, fullyLabeledReplicas=4),
        "four ready pods",
    )
    await stage.client.patch(resource, "web", {"spec": {"replicas": 0}}, namespace)
    await stage.until(lambda: not stage.list(PODS, namespace), "no pods")


@pytest.mark.parametrize(("resource", "owner"), KINDS)
async def test_matching_orphan_is_adopted_and_released_when_it_stops_matching(
    stage: Stage, resource: Resource, owner: Object
) -> None:
    namespace = await stage.namespace(f"adopted-{resource.plural}")
    orphan = await stage.client.create(PODS, pod(namespace, "orphan", {"app": "web"}))
    made = await stage.client.create(resource, in_namespace(owner, namespace))

    def adopted() -> bool:
        found = stage.get(PODS, f"{namespace}/orphan") or {}
        return (controller_of(found) or {}).get("uid") == uid_of(made)

    await stage.until(adopted, "the orphan adopted")
    await stage.until(lambda: len(stage.list(PODS, namespace)) == 2, "one pod made beside it")

    await stage.client.patch(PODS, "orphan", {"metadata": {"labels": {"app": "other"}}}, namespace)
    await stage.until(lambda: not adopted(), "the pod released")
    await stage.until(lambda: len(stage.list(PODS, namespace)) == 3, "its replacement")
    released = await stage.client.get(PODS, "orphan", namespace)
    assert uid_of(released) == uid_of(orphan)


async def test_pods_carry_what_the_template_says(stage: Stage) -> None:
    await stage.namespace("template")
    owner = replicaset("template", 1, name="web")
    owner["spec"]["template"] = pod_template({"app": "web", "tier": "a"}) | {}
    owner["spec"]["template"]["metadata"]["annotations"] = {"note": "x"}
    await stage.client.create(REPLICASETS, owner)

    await stage.until(lambda: stage.list(PODS, "template"), "a pod")
    (made,) = stage.list(PODS, "template")

    assert name_of(made).startswith("web-")
    assert labels_of(made) == {"app": "web", "tier": "a"}
    assert made["metadata"]["annotations"] == {"note": "x"}
    reference = controller_of(made)
    assert reference is not None
    assert (reference["kind"], reference["blockOwnerDeletion"]) == ("ReplicaSet", True)


async def test_creation_that_fails_is_reported(stage: Stage) -> None:
    await stage.namespace("refused")
    owner = replicaset("refused", 2, name="web")
    owner["spec"]["template"]["spec"]["serviceAccountName"] = "no-such-account"
    await stage.client.create(REPLICASETS, owner)

    def failed() -> Object:
        found = stage.get(REPLICASETS, "refused/web") or {}
        return find_condition(found, "ReplicaFailure") or {}

    await stage.until(lambda: failed().get("reason") == "FailedCreate", "the failure condition")
    assert "no-such-account" in failed()["message"]
    listed = await stage.client.list(EVENTS, "refused", field_selector="reason=FailedCreate")
    assert listed["items"][0]["message"].startswith("Error creating: pods")

    await stage.client.patch(REPLICASETS, "web", {"spec": {"replicas": 0}}, "refused")
    await stage.until(lambda: not failed(), "the failure condition gone")


async def test_pods_that_are_not_ready_go_first(stage: Stage) -> None:
    await stage.namespace("ranked")
    for name, image in (("good", "app:1"), ("bad", BROKEN)):
        one = pod("ranked", name, {"app": "web"})
        one["spec"]["containers"][0]["image"] = image
        await stage.client.create(PODS, one)
    await stage.until(
        lambda: all(dig(p, "status", "podIP") for p in stage.list(PODS, "ranked")), "both run"
    )

    await stage.client.create(REPLICASETS, replicaset("ranked", 1, name="web"))

    await stage.until(lambda: len(stage.list(PODS, "ranked")) == 1, "one pod left")
    assert name_of(stage.list(PODS, "ranked")[0]) == "good"
