"""Garbage collection against a real API server: background, foreground, orphaning."""

from collections.abc import Callable

import pytest

from control_plane.api.objects import (
    Object,
    dig,
    finalizers_of,
    is_terminating,
    name_of,
    namespace_of,
    owner_references,
    uid_of,
)
from control_plane.api.resources import (
    CONFIGMAPS,
    DEPLOYMENTS,
    PODS,
    REPLICASETS,
    SECRETS,
    Resource,
)
from control_plane.api.resources import REPLICATIONCONTROLLERS as RCS
from tests.control_plane.controllers.stage import Stage
from tests.control_plane.controllers.workloads import deployment, pod, replicationcontroller


def reference(owner: Object, *, blocks: bool = False, uid: str = "") -> Object:
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": uid or uid_of(owner),
        "blockOwnerDeletion": blocks,
    }


def all_gone(stage: Stage, namespace: str, *resources: Resource) -> Callable[[], bool]:
    return lambda: not any(stage.list(resource, namespace) for resource in resources)


async def make_deployment(stage: Stage, namespace: str) -> Object:
    await stage.namespace(namespace)
    made = await stage.client.create(DEPLOYMENTS, deployment(namespace, replicas=2))
    await stage.until(lambda: len(stage.list(PODS, namespace)) == 2, "two pods")
    return made


async def make_controller(stage: Stage, namespace: str, replicas: int) -> Object:
    """A replication controller with all its pods."""
    await stage.namespace(namespace)
    made = await stage.client.create(RCS, replicationcontroller(namespace, replicas))
    await stage.until(lambda: len(stage.list(PODS, namespace)) == replicas, "its pods")
    return made


async def delete(stage: Stage, resource: Resource, found: Object, policy: str) -> Object:
    """Delete this very object, as the conformance tests do."""
    options = {"propagationPolicy": policy, "preconditions": {"uid": uid_of(found)}}
    name, namespace = name_of(found), namespace_of(found)
    return await stage.client.delete(resource, name, namespace, options=options)


async def until_collected(stage: Stage, namespace: str) -> None:
    """Wait until the collector has taken something that it was told of after all before."""
    owner = reference(replicationcontroller(namespace, name="never"), uid="no-such-uid")
    meta = {"name": "marker", "namespace": namespace, "ownerReferences": [owner]}
    await stage.client.create(SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": meta})
    gone = all_gone(stage, namespace, SECRETS)
    await stage.until(gone, "the object of an absent owner gone")


@pytest.mark.conformance(
    "[sig-api-machinery] Garbage collector should delete pods created by rc when not orphaning "
    "[Conformance]",
)
async def test_should_delete_pods_created_by_rc_when_not_orphaning(stage: Stage) -> None:
    rc = await make_controller(stage, "rc-background", 10)
    await delete(stage, RCS, rc, "Background")
    await stage.until(all_gone(stage, "rc-background", RCS, PODS), "everything gone")


@pytest.mark.conformance(
    "[sig-api-machinery] Garbage collector should orphan pods created by rc if delete options say "
    "so [Serial] [Conformance]",
)
async def test_should_orphan_pods_created_by_rc_if_delete_options_say_so(stage: Stage) -> None:
    rc = await make_controller(stage, "rc-orphan", 10)
    await delete(stage, RCS, rc, "Orphan")
    await stage.until(all_gone(stage, "rc-orphan", RCS), "the controller gone")
    await until_collected(stage, "rc-orphan")
    left = (await stage.client.list(PODS, "rc-orphan"))["items"]
    assert len(left) == 10
    assert not any(owner_references(one) or is_terminating(one) for one in left)


@pytest.mark.conformance(
    "[sig-api-machinery] Garbage collector should delete RS created by deployment when not "
    "orphaning [Conformance]",
)
async def test_should_delete_rs_created_by_deployment_when_not_orphaning(stage: Stage) -> None:
    await delete(stage, DEPLOYMENTS, await make_deployment(stage, "background"), "Background")

    gone = all_gone(stage, "background", DEPLOYMENTS, REPLICASETS, PODS)
    await stage.until(gone, "everything gone")


@pytest.mark.conformance(
    "[sig-api-machinery] Garbage collector should orphan RS created by deployment when "
    "deleteOptions.PropagationPolicy is Orphan [Conformance]",
)
async def test_should_orphan_rs_created_by_deployment_when_policy_is_orphan(stage: Stage) -> None:
    await delete(stage, DEPLOYMENTS, await make_deployment(stage, "orphan"), "Orphan")

    await stage.until(all_gone(stage, "orphan", DEPLOYMENTS), "the deployment gone")
    await until_collected(stage, "orphan")
    (left,) = (await stage.client.list(REPLICASETS, "orphan"))["items"]
    assert owner_references(left) == []
    assert len((await stage.client.list(PODS, "orphan"))["items"]) == 2


@pytest.mark.conformance(
    "[sig-api-machinery] Garbage collector should keep the rc around until all its pods are "
    "deleted if the deleteOptions says so [Serial] [Conformance]",
)
async def test_should_keep_the_rc_around_until_all_its_pods_are_deleted(stage: Stage) -> None:
    rc = await make_controller(stage, "foreground", 10)
    seen_without_owner = []

    def watch_pods(*_: object) -> None:
        if stage.list(PODS, "foreground") and not stage.list(RCS, "foreground"):
            seen_without_owner.append(True)

    stage.informers.informer(PODS).add_handler(watch_pods)
    deleted = await delete(stage, RCS, rc, "Foreground")
    assert finalizers_of(deleted) == ["foregroundDeletion"]

    await stage.until(all_gone(stage, "foreground", RCS, PODS), "everything gone")
    assert seen_without_owner == []


@pytest.mark.conformance(
    "[sig-api-machinery] Garbage collector should not delete dependents that have both valid "
    "owner and owner that's waiting for dependents to be deleted [Serial] [Conformance]",
)
async def test_should_not_delete_dependents_that_have_a_valid_owner_too(stage: Stage) -> None:
    doomed = await make_controller(stage, "two-owners", 6)
    staying = await stage.client.create(RCS, replicationcontroller("two-owners", 0, name="stay"))
    kept = {name_of(one) for one in stage.list(PODS, "two-owners")[:3]}
    for name in kept:
        patch = {"metadata": {"ownerReferences": [reference(staying)]}}
        await stage.client.patch(PODS, name, patch, "two-owners", kind="strategic")

    await delete(stage, RCS, doomed, "Foreground")

    await stage.until(lambda: stage.get(RCS, "two-owners/rc") is None, "the first owner gone")
    left = (await stage.client.list(PODS, "two-owners"))["items"]
    assert {name_of(one) for one in left} == kept
    for one in left:
        assert not is_terminating(one)
        assert [ref["name"] for ref in owner_references(one)] == ["stay"]


@pytest.mark.conformance(
    "[sig-api-machinery] Garbage collector should not be blocked by dependency circle "
    "[Conformance]",
)
async def test_should_not_be_blocked_by_dependency_circle(stage: Stage) -> None:
    await stage.namespace("circle")
    pods = [await stage.client.create(PODS, pod("circle", f"pod{n}")) for n in (1, 2, 3)]
    for owned, owner in ((0, 2), (1, 0), (2, 1)):
        refs = [reference(pods[owner], blocks=True)]
        patch = {"metadata": {"ownerReferences": refs}}
        await stage.client.patch(PODS, name_of(pods[owned]), patch, "circle")

    await delete(stage, PODS, pods[0], "Foreground")

    await stage.until(all_gone(stage, "circle", PODS), "all three pods gone")


async def test_object_whose_owner_never_was_is_removed(stage: Stage) -> None:
    await stage.namespace("absent")
    owner = replicationcontroller("absent", name="never")
    child = pod("absent", "child", ownerReferences=[reference(owner, uid="no-such-uid")])

    await stage.client.create(PODS, child)

    await stage.until(all_gone(stage, "absent", PODS), "the pod gone")


async def test_owner_in_another_namespace_does_not_count(stage: Stage) -> None:
    for namespace in ("here", "there"):
        await stage.namespace(namespace)
    owner = await stage.client.create(RCS, replicationcontroller("there", 0, name="far"))

    await stage.client.create(PODS, pod("here", "child", ownerReferences=[reference(owner)]))

    await stage.until(all_gone(stage, "here", PODS), "the pod gone")
    assert stage.get(RCS, "there/far") is not None


async def test_owner_of_an_unknown_kind_keeps_its_dependents(stage: Stage) -> None:
    await stage.namespace("unknown-kind")
    owner = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "t"}}
    kept = pod("unknown-kind", "kept", ownerReferences=[reference(owner, uid="u1")])
    gone = pod(
        "unknown-kind",
        "gone",
        ownerReferences=[reference(replicationcontroller("x", name="never"), uid="u2")],
    )

    await stage.client.create(PODS, kept)
    await stage.client.create(PODS, gone)

    await stage.until(lambda: stage.get(PODS, "unknown-kind/gone") is None, "the other pod gone")
    assert stage.get(PODS, "unknown-kind/kept") is not None


async def test_any_resource_can_own_and_be_owned(stage: Stage) -> None:
    await stage.namespace("any")

    def config_map(name: str, *owners: Object) -> Object:
        meta = {"name": name, "namespace": "any", "ownerReferences": list(map(reference, owners))}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}

    root = await stage.client.create(CONFIGMAPS, config_map("root"))
    middle = await stage.client.create(CONFIGMAPS, config_map("middle", root))
    await stage.client.create(CONFIGMAPS, config_map("leaf", middle))
    await stage.client.create(PODS, pod("any", "last", ownerReferences=[reference(middle)]))

    await stage.client.delete(CONFIGMAPS, "root", "any")

    await stage.until(all_gone(stage, "any", PODS), "the last of the chain gone")
    names = [name_of(found) for found in (await stage.client.list(CONFIGMAPS, "any"))["items"]]
    assert "middle" not in names
    assert dig(root, "metadata", "name") not in names
