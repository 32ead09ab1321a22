"""Which slices to create, update and delete, so that they hold the wanted endpoints. Pure.

Per address family and set of ports: endpoints are changed in place; a slice left empty goes; new
endpoints fill up slices that are written anyway, fullest first; what is left goes whole into the
fullest slice that has room for it, else into new slices. A slice to delete is turned into one to
create where it can be. A service without endpoints keeps one empty slice per family.
Source: kubernetes staging/src/k8s.io/endpointslice/reconciler.go.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import orjson

from control_plane.api.objects import Object, annotations_of, controller_of, deep_copy, labels_of
from control_plane.controllers.endpointslice.endpoint import Groups, port_key

NewSlice = Callable[[Sequence[Object], Sequence[Object]], Object]


@dataclass(slots=True)
class SlicePlan:
    """What to write."""

    create: list[Object] = field(default_factory=list)
    update: list[Object] = field(default_factory=list)
    delete: list[Object] = field(default_factory=list)

    def add(self, other: "SlicePlan") -> None:
        """Take in another plan."""
        self.create += other.create
        self.update += other.update
        self.delete += other.delete


def plan_family(
    found: Sequence[Object], groups: Groups, new_slice: NewSlice, limit: int
) -> SlicePlan:
    """Return the writes for one address family.

    `found` are its present slices; `new_slice(ports, endpoints)` makes one with the right metadata;
    `limit` is the number of endpoints a slice may hold. Slices of another owner, such as an earlier
    service of the same name, are not filled: they would be collected with it.
    """
    owner = (controller_of(new_slice([], [])) or {}).get("uid")
    by_ports: dict[str, list[Object]] = {}
    plan = SlicePlan()
    for present in found:
        if (controller_of(present) or {}).get("uid") != owner:
            plan.delete.append(present)
        else:
            by_ports.setdefault(port_key(present.get("ports") or []), []).append(present)
    for key, (ports, endpoints) in groups.items():
        packing = _Packing(by_ports.pop(key, []), endpoints, limit)
        plan.add(packing.plan(partial(new_slice, ports)))
    plan.delete += [left_over for slices in by_ports.values() for left_over in slices]
    if len(plan.delete) == len(found) and not plan.create:
        _keep_placeholder(plan, new_slice([], []))
    return _reusing(plan)


def _keep_placeholder(plan: SlicePlan, placeholder: Object) -> None:
    """Have one empty slice: the one there is, or a new one."""
    for present in plan.delete:
        if _same_content(present, placeholder):
            plan.delete.remove(present)
            return
    plan.create.append(placeholder)


def _same_content(one: Object, other: Object) -> bool:
    return (
        not one.get("endpoints")
        and not one.get("ports")
        and not other.get("endpoints")
        and labels_of(one) == labels_of(other)
        and controller_of(one) == controller_of(other)
    )


def _reusing(plan: SlicePlan) -> SlicePlan:
    """Turn deletions into updates where something is to be created."""
    while plan.create and plan.delete:
        wanted, spare = plan.create.pop(), deep_copy(plan.delete.pop())
        spare |= {"ports": wanted["ports"], "endpoints": wanted["endpoints"]}
        spare["metadata"] |= {
            "labels": labels_of(wanted),
            "ownerReferences": wanted["metadata"]["ownerReferences"],
        }
        plan.update.append(spare)
    return plan


class _Packing:
    """The slices of one set of ports, and the endpoints that they are to hold."""

    def __init__(self, found: Sequence[Object], endpoints: Sequence[Object], limit: int) -> None:
        self._found = found
        self._missing = {_identity(endpoint): endpoint for endpoint in endpoints}
        self._limit = limit

    def plan(self, new_slice: Callable[[Sequence[Object]], Object]) -> SlicePlan:
        """Return the writes; `new_slice` makes a slice of endpoints."""
        labels = labels_of(new_slice([]))
        unchanged, changed, plan = self._in_place(labels)
        rest = list(self._missing.values())
        if changed:
            for members in sorted((m for _, m in changed), key=len, reverse=True):
                room = max(0, self._limit - len(members))  # the limit may have been lowered
                members += rest[:room]
                rest = rest[room:]
        if rest and (roomy := self._fullest_with_room(unchanged, len(rest))) is not None:
            changed.append((roomy, [*(roomy.get("endpoints") or []), *rest]))
            rest = []
        for start in range(0, len(rest), self._limit):
            plan.create.append(new_slice(rest[start : start + self._limit]))
        plan.update += [_with(found, members, labels) for found, members in changed]
        return plan

    def _in_place(
        self, labels: dict[str, str]
    ) -> tuple[list[Object], list[tuple[Object, list[Object]]], SlicePlan]:
        """Sort the slices into those that may stay, those to write, those to delete."""
        unchanged: list[Object] = []
        changed: list[tuple[Object, list[Object]]] = []
        plan = SlicePlan()
        for found in self._found:
            before = found.get("endpoints") or []
            after = [
                self._missing.pop(key)
                for endpoint in before
                if (key := _identity(endpoint)) in self._missing
            ]
            if after == before and labels_of(found) == labels and after:
                unchanged.append(found)
            elif after:
                changed.append((found, after))
            else:
                plan.delete.append(found)
        return unchanged, changed, plan

    def _fullest_with_room(self, slices: Sequence[Object], count: int) -> Object | None:
        fitting = [s for s in slices if len(s["endpoints"]) + count <= self._limit]
        if count >= self._limit:
            return None
        return max(fitting, key=lambda one: len(one["endpoints"]), default=None)


def _with(found: Object, members: list[Object], labels: dict[str, str]) -> Object:
    changed = deep_copy(found)
    changed["endpoints"] = members
    changed["metadata"]["labels"] = labels
    return changed


def _identity(endpoint: Object) -> bytes:
    """Return what makes an endpoint the same one: addresses, host name and pod."""
    parts = [endpoint["addresses"], endpoint.get("hostname"), endpoint.get("targetRef")]
    return orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)


def with_annotation(obj: Object, name: str, text: str) -> Object:
    """Return the slice with an annotation set, or removed for ""."""
    kept = {key: value for key, value in annotations_of(obj).items() if key != name}
    obj["metadata"]["annotations"] = kept | ({name: text} if text else {})
    return obj
