"""The owner graph's answers and the verdicts on objects, as tables."""

import pytest

from control_plane.api.objects import Object
from control_plane.api.resources import CONFIGMAPS, NODES, Resource
from control_plane.controllers.garbage_collector.classify import (
    Delete,
    DropReferences,
    Keep,
    OwnerState,
    Verdict,
    decide,
    delete_options,
    without_blocking,
    without_finalizer,
    without_owners,
)
from control_plane.controllers.garbage_collector.graph import FOREGROUND, ORPHAN, OwnerGraph

SOLID, ABSENT, WAITING = OwnerState.SOLID, OwnerState.ABSENT, OwnerState.WAITING


def obj(
    uid: str,
    *owners: str,
    finalizers: tuple[str, ...] = (),
    blocks: bool = True,
    deleted: bool = False,
    namespace: str = "ns",
    kind: Resource = CONFIGMAPS,
) -> Object:
    references = [
        {
            "apiVersion": kind.api_version,
            "kind": kind.kind,
            "name": owner,
            "uid": owner,
            "blockOwnerDeletion": blocks,
        }
        for owner in owners
    ]
    meta: Object = {"name": uid, "uid": uid, "namespace": namespace, "resourceVersion": "7"}
    meta |= {"ownerReferences": references, "finalizers": list(finalizers)}
    return {"metadata": meta | ({"deletionTimestamp": "2026-01-02T03:04:05Z"} if deleted else {})}


@pytest.mark.parametrize(
    ("owners", "dependents", "cycle", "verdict"),
    [
        ({}, False, False, Keep()),
        ({"a": SOLID}, False, False, Keep()),
        ({"a": SOLID, "b": ABSENT}, False, False, DropReferences(frozenset({"b"}))),
        (
            {"a": SOLID, "b": ABSENT, "c": WAITING},
            True,
            True,
            DropReferences(frozenset({"b", "c"})),
        ),
        ({"a": ABSENT}, True, False, Delete("Background")),
        ({"a": WAITING}, False, False, Delete("Background")),
        ({"a": WAITING}, True, False, Delete("Foreground")),
        ({"a": WAITING, "b": ABSENT}, True, True, Delete("Foreground", unblock_owners=True)),
    ],
)
def test_verdict(
    owners: dict[str, OwnerState], dependents: bool, cycle: bool, verdict: Verdict
) -> None:
    found = decide(
        obj("x", *owners), owners, has_dependents=dependents, dependent_deletes_dependents=cycle
    )

    assert found == verdict


@pytest.mark.parametrize(
    ("finalizers", "policy"),
    [((), "Background"), ((ORPHAN,), "Orphan"), ((FOREGROUND,), "Foreground")],
)
def test_finalizers_choose_the_policy(finalizers: tuple[str, ...], policy: str) -> None:
    given = obj("x", "a", finalizers=finalizers)

    found = decide(given, {"a": ABSENT}, has_dependents=False, dependent_deletes_dependents=False)

    assert found == Delete(policy)


def test_writes_hold_only_for_the_object_as_it_was_read() -> None:
    given = obj("x", "a", "b", finalizers=(FOREGROUND, "mine"))
    same = {"uid": "x", "resourceVersion": "7"}

    assert delete_options(given, "Orphan") == {"propagationPolicy": "Orphan", "preconditions": same}
    [kept] = without_owners(given, frozenset({"a"}))["metadata"]["ownerReferences"]
    assert kept["uid"] == "b"
    unblocked = without_blocking(given)["metadata"]["ownerReferences"]
    assert [one["blockOwnerDeletion"] for one in unblocked] == [False, False]
    assert without_finalizer(given, FOREGROUND) == {"metadata": same | {"finalizers": ["mine"]}}


def graph_of(*objects: Object) -> OwnerGraph:
    graph = OwnerGraph()
    for one in objects:
        graph.put(CONFIGMAPS, one)
    return graph


def test_an_owner_known_from_references_only_is_looked_at() -> None:
    graph = OwnerGraph()

    assert graph.put(CONFIGMAPS, obj("child", "owner")) == {"owner"}
    owner = graph.node("owner")
    assert owner is not None
    assert owner.virtual
    assert graph.put(CONFIGMAPS, obj("owner")) == set()
    assert not owner.virtual
    assert [one.identity.uid for one in graph.dependents("owner")] == ["child"]


def test_dependents_of_a_deleted_owner_are_looked_at() -> None:
    graph = graph_of(obj("owner"), obj("a", "owner"), obj("b", "owner", "other"))

    assert graph.remove("owner") == {"a", "b"}
    assert graph.remove("owner") == set()


def test_a_real_owner_is_not_removed_as_absent() -> None:
    graph = graph_of(obj("owner"), obj("a", "owner"), obj("b", "missing"))

    assert graph.remove_absent("owner") == set()
    assert graph.remove_absent("missing") == {"b"}


def test_foreground_deletion_looks_at_all_dependents_once() -> None:
    graph = graph_of(obj("owner"), obj("a", "owner"), obj("b", "owner"))
    waiting = obj("owner", finalizers=(FOREGROUND,), deleted=True)

    assert graph.put(CONFIGMAPS, waiting) == {"owner", "a", "b"}
    assert graph.put(CONFIGMAPS, waiting) == set()
    assert graph.put(CONFIGMAPS, obj("c", "owner")) == {"owner", "c"}, "a latecomer"
    assert graph.put(CONFIGMAPS, obj("a", "owner", blocks=False)) == {"owner"}, "blocks no more"
    assert graph.remove("b") == {"owner"}
    assert graph.put(CONFIGMAPS, obj("c")) == {"owner"}, "let go"


def test_orphaning_deletion_looks_at_the_owner_alone() -> None:
    graph = graph_of(obj("owner"), obj("a", "owner"))

    assert graph.put(CONFIGMAPS, obj("owner", finalizers=(ORPHAN,), deleted=True)) == {"owner"}


def test_finalizers_count_only_during_deletion() -> None:
    graph = graph_of(obj("owner"), obj("a", "owner"))

    assert graph.put(CONFIGMAPS, obj("owner", finalizers=(FOREGROUND, ORPHAN))) == set()


def test_virtual_owners_do_not_outlive_their_dependents() -> None:
    graph = graph_of(obj("a", "missing"))

    graph.remove("a")

    assert graph.node("missing") is None


def test_an_owner_of_another_namespace_gives_reason_to_look() -> None:
    graph = graph_of(obj("far", namespace="there"), obj("near"))
    graph.put(NODES, obj("wide", namespace=""))

    assert graph.put(CONFIGMAPS, obj("child", "far")) == {"child"}
    assert graph.put(CONFIGMAPS, obj("other", "near")) == set()
    assert graph.put(CONFIGMAPS, obj("third", "wide", kind=NODES)) == set()


def test_an_owner_that_turns_out_to_be_elsewhere_gives_reason_to_look() -> None:
    graph = graph_of(obj("child", "far"))

    assert graph.put(CONFIGMAPS, obj("far", namespace="there")) == {"child"}
