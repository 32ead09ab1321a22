"""Garbage collection against a real API server: background, foreground, orphaning."""

from collections.abc import Callable

from control_plane.api.objects import Object, dig, finalizers_of, name_of, owner_references, uid_of
from control_plane.api.resources import CONFIGMAPS, DEPLOYMENTS, PODS, REPLICASETS, Resource
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


async def make_deployment(stage: Stage, namespace: str) -> None:
    await stage.namespace(namespace)
    await stage.client.create(DEPLOYMENTS, deployment(namespace, replicas=2))
    await stage.until(lambda: len(stage.list(PODS, namespace)) == 2, "two pods")


async def test_deleted_deployment_takes_replicasets_and_pods_along(stage: Stage) -> None:
    await make_deployment(stage, "background")

    await stage.client.delete(DEPLOYMENTS, "web", "background")

    gone = all_gone(stage, "background", DEPLOYMENTS, REPLICASETS, PODS)
    await stage.until(gone, "everything gone")


async def test_orphaning_deletion_leaves_the_dependents_without_owner(stage: Stage) -> None:
    await make_deployment(stage, "orphan")

    options = {"propagationPolicy": "Orphan"}
    await stage.client.delete(DEPLOYMENTS, "web", "orphan", options=options)

    await stage.until(all_gone(stage, "orphan", DEPLOYMENTS), "the deployment gone")
    (left,) = (await stage.client.list(REPLICASETS, "orphan"))["items"]
    assert owner_references(left) == []
    assert len((await stage.client.list(PODS, "orphan"))["items"]) == 2


async def test_foreground_deletion_waits_for_the_dependents(stage: Stage) -> None:
    await stage.namespace("foreground")
    await stage.client.create(RCS, replicationcontroller("foreground"))
    await stage.until(lambda: len(stage.list(PODS, "foreground")) == 2, "two pods")
    seen_without_owner = []

    def watch_pods(*_: object) -> None:
        if stage.list(PODS, "foreground") and not stage.list(RCS, "foreground"):
            seen_without_owner.append(True)

    stage.informers.informer(PODS).add_handler(watch_pods)
    options = {"propagationPolicy": "Foreground"}
    deleted = await stage.client.delete(RCS, "rc", "foreground", options=options)
    assert finalizers_of(deleted) == ["foregroundDeletion"]

    await stage.until(all_gone(stage, "foreground", RCS, PODS), "everything gone")
    assert seen_without_owner == []


async def test_object_with_one_owner_left_stays_without_the_other(stage: Stage) -> None:
    await stage.namespace("two-owners")
    rcs = [
        await stage.client.create(RCS, replicationcontroller("two-owners", 0, name=name))
        for name in ("one", "two")
    ]
    child = pod("two-owners", "child", ownerReferences=[reference(rc, blocks=True) for rc in rcs])
    await stage.client.create(PODS, child)

    options = {"propagationPolicy": "Foreground"}
    await stage.client.delete(RCS, "one", "two-owners", options=options)

    await stage.until(lambda: stage.get(RCS, "two-owners/one") is None, "the first owner gone")
    left = await stage.client.get(PODS, "child", "two-owners")
    assert [ref["name"] for ref in owner_references(left)] == ["two"]


async def test_circle_of_owners_is_removed_as_a_whole(stage: Stage) -> None:
    await stage.namespace("circle")
    pods = [await stage.client.create(PODS, pod("circle", f"pod{n}")) for n in (1, 2, 3)]
    for owned, owner in ((0, 2), (1, 0), (2, 1)):
        refs = [reference(pods[owner], blocks=True)]
        patch = {"metadata": {"ownerReferences": refs}}
        await stage.client.patch(PODS, name_of(pods[owned]), patch, "circle")

    options = {"propagationPolicy": "Foreground"}
    await stage.client.delete(PODS, "pod1", "circle", options=options)

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
