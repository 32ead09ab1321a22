"""The owner graph: every object that has or is an owner, by uid.

Fed with every change of every collectable resource; answers with the uids that are worth a look. An
owner that is known only from references is *virtual* until its own event arrives, or until a look
shows that it does not exist. No I/O. Bound: one node per live object plus one per absent owner.

    pod p1 owned by replicaset r1, seen before r1 itself:
        nodes: p1 (owners r1), r1 (virtual, dependents p1)      → look at r1
    r1 is added:     r1 is real                                  → nothing to do
    r1 is deleted:   r1 leaves the graph                         → look at p1

Source: kubernetes pkg/controller/garbagecollector/graph_builder.go.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from control_plane.api.objects import (
    Object,
    finalizers_of,
    is_terminating,
    name_of,
    namespace_of,
    owner_references,
    uid_of,
)
from control_plane.api.resources import Resource

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"


@dataclass(frozen=True, slots=True)
class Identity:
    """Where to find an object, and which one it is. namespace is "" for cluster-scoped ones."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str


@dataclass(slots=True)
class Node:
    """One object: its owners by uid, who depends on it, and how far its deletion is."""

    identity: Identity
    virtual: bool = False
    owners: dict[str, Object] = field(default_factory=dict)
    dependents: set[str] = field(default_factory=set)
    being_deleted: bool = False
    deletes_dependents: bool = False
    orphans_dependents: bool = False

    def blocks(self, owner_uid: str) -> bool:
        """Whether the foreground deletion of that owner has to wait for this object."""
        return bool(self.owners.get(owner_uid, {}).get("blockOwnerDeletion"))


class OwnerGraph:
    """The graph; `put`, `remove` and `remove_absent` return the uids to look at."""

    def __init__(self) -> None:
        """Start empty."""
        self._nodes: dict[str, Node] = {}

    def node(self, uid: str) -> Node | None:
        """Return the node of `uid`, or None."""
        return self._nodes.get(uid)

    def dependents(self, uid: str) -> list[Node]:
        """Return the nodes that name `uid` as an owner."""
        node = self._nodes.get(uid)
        found = (self._nodes.get(dependent) for dependent in node.dependents) if node else ()
        return [dependent for dependent in found if dependent is not None]

    def put(self, resource: Resource, obj: Object) -> set[str]:
        """Take in an added or updated object."""
        known = self._nodes.get(uid_of(obj))
        appears = known is None or known.virtual
        node = self._real_node(resource, obj)
        before = node.owners
        node.owners = {reference["uid"]: reference for reference in owner_references(obj)}
        looks = self._link(node, node.owners.keys() - before.keys())
        looks |= self._unlink(node, before.keys() - node.owners.keys())
        looks |= self._unblocked(node, before)
        if appears:
            looks |= {one.identity.uid for one in self.dependents(uid_of(obj)) if _apart(one, node)}
        return looks | self._advance(node, obj)

    def remove(self, uid: str) -> set[str]:
        """Forget a deleted object: its dependents may go, its waiting owners may go on."""
        node = self._nodes.pop(uid, None)
        if node is None:
            return set()
        return set(node.dependents) | self._unlink(node, node.owners.keys())

    def remove_absent(self, uid: str) -> set[str]:
        """Forget an owner that a look has shown to be absent; a real node is left alone."""
        node = self._nodes.get(uid)
        return self.remove(uid) if node is not None and node.virtual else set()

    def _real_node(self, resource: Resource, obj: Object) -> Node:
        uid = uid_of(obj)
        identity = Identity(
            resource.api_version, resource.kind, namespace_of(obj), name_of(obj), uid
        )
        node = self._nodes.setdefault(uid, Node(identity))
        node.identity = identity
        node.virtual = False
        return node

    def _link(self, node: Node, owner_uids: Iterable[str]) -> set[str]:
        """Enter `node` with new owners; unknown ones become virtual and are to be looked at."""
        looks = set()
        for uid in owner_uids:
            if uid not in self._nodes:
                self._nodes[uid] = Node(_referenced(node, node.owners[uid]), virtual=True)
            owner = self._nodes[uid]
            owner.dependents.add(node.identity.uid)
            if owner.virtual:
                looks.add(uid)
            elif owner.deletes_dependents:
                looks |= {uid, node.identity.uid}
            elif _apart(node, owner):
                looks.add(node.identity.uid)
        return looks

    def _unlink(self, node: Node, owner_uids: Iterable[str]) -> set[str]:
        """Take `node` off former owners; those in foreground deletion are to be looked at."""
        looks = set()
        for uid in owner_uids:
            owner = self._nodes.get(uid)
            if owner is None:
                continue
            owner.dependents.discard(node.identity.uid)
            if owner.deletes_dependents:
                looks.add(uid)
            if owner.virtual and not owner.dependents:
                del self._nodes[uid]
        return looks

    def _unblocked(self, node: Node, before: dict[str, Object]) -> set[str]:
        """Return the owners whose foreground deletion no longer has to wait for `node`."""
        return {
            uid
            for uid in node.owners.keys() & before.keys()
            if before[uid].get("blockOwnerDeletion") and not node.blocks(uid)
        }

    def _advance(self, node: Node, obj: Object) -> set[str]:
        """Note how far the object's deletion is; a new stage concerns it and its dependents."""
        held = finalizers_of(obj)
        deleted = is_terminating(obj)
        foreground = deleted and FOREGROUND in held
        orphaning = deleted and ORPHAN in held
        looks: set[str] = set()
        if orphaning and not node.orphans_dependents:
            looks = {node.identity.uid}
        if foreground and not node.deletes_dependents:
            looks = {node.identity.uid, *node.dependents}
        node.being_deleted = deleted
        node.deletes_dependents = foreground
        node.orphans_dependents = orphaning
        return looks


def _apart(dependent: Node, owner: Node) -> bool:
    """Whether the owner is in a namespace that is not the dependent's, so that it is no owner."""
    return owner.identity.namespace not in ("", dependent.identity.namespace)


def _referenced(dependent: Node, reference: Object) -> Identity:
    """Return what a reference says of an owner; the namespace is taken from the dependent."""
    return Identity(
        reference["apiVersion"],
        reference["kind"],
        dependent.identity.namespace,
        reference["name"],
        reference["uid"],
    )
