"""Who has which roles: bindings by subject, and for each subject and place one table.

Told of every change of a role or a binding; a table is made when it is first asked for and dropped
when one of its bindings or roles changes. There are at most as many tables as there are subjects
in bindings. A namespace of "" stands for the cluster's scope. Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from control_plane.api.objects import Object
from control_plane.apiserver.auth.rbac.permissions import Permissions, Role

Place = tuple[str, str]  # a namespace and a name: of a role, or of a binding
_Key = TypeVar("_Key")
Subject = tuple[str, str]  # "User" or "Group", and the name


@dataclass(frozen=True, slots=True)
class Binding:
    """A role, and the subjects that have it, each with how a reason calls it."""

    role: Place
    description: str
    subjects: dict[Subject, str]


class Bindings:
    """All roles and bindings of a cluster."""

    def __init__(self) -> None:
        """Start with none."""
        self._roles: dict[Place, Role] = {}
        self._bindings: dict[Place, Binding] = {}
        self._of_role: dict[Place, set[Place]] = {}
        self._of_subject: dict[tuple[Subject, str], set[Place]] = {}
        self._tables: dict[tuple[Subject, str], Permissions] = {}

    @property
    def has_roles(self) -> bool:
        """Whether there is any role."""
        return bool(self._roles)

    def role(self, place: Place) -> Role | None:
        """The role, or None."""
        return self._roles.get(place)

    def set_role(self, place: Place, role: Role | None) -> None:
        """Take a role's new state in; None: it is gone."""
        if role is None:
            self._roles.pop(place, None)
        else:
            self._roles[place] = role
        for binding in self._of_role.get(place, ()):
            self._forget_tables(binding)

    def set_binding(self, place: Place, binding: Binding | None) -> None:
        """Take a binding's new state in; None: it is gone."""
        old = self._bindings.pop(place, None)
        if old is not None:
            _discard(self._of_role, old.role, place)
            for subject in old.subjects:
                _discard(self._of_subject, (subject, place[0]), place)
                self._tables.pop((subject, place[0]), None)
        if binding is None:
            return
        self._bindings[place] = binding
        self._of_role.setdefault(binding.role, set()).add(place)
        for subject in binding.subjects:
            self._of_subject.setdefault((subject, place[0]), set()).add(place)
            self._tables.pop((subject, place[0]), None)

    def places(self) -> tuple[set[Place], set[Place]]:
        """Where there are roles, and where bindings."""
        return set(self._roles), set(self._bindings)

    def permissions(self, subject: Subject, namespace: str) -> Permissions | None:
        """What the subject's bindings of one namespace (or of the cluster) allow; None: no such."""
        key = (subject, namespace)
        found = self._tables.get(key)
        if found is None and key in self._of_subject:
            found = self._tables[key] = self._table(subject, self._of_subject[key])
        return found

    def _table(self, subject: Subject, places: set[Place]) -> Permissions:
        table = Permissions()
        for place in sorted(places, reverse=True):  # so that the first one's reason stays
            binding = self._bindings[place]
            role = self._roles.get(binding.role)
            if role is None:
                table.missing.append(_not_found(binding.role))
            else:
                table.add(role, f"{binding.description} to {binding.subjects[subject]}")
        return table

    def _forget_tables(self, place: Place) -> None:
        for subject in self._bindings[place].subjects:
            self._tables.pop((subject, place[0]), None)


def binding_of(obj: Object, namespace: str) -> Binding:
    """What a RoleBinding, or a ClusterRoleBinding (`namespace` is ""), says."""
    name, role = obj["metadata"]["name"], obj["roleRef"]
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    shown = f"{name}/{namespace}" if namespace else name
    return Binding(
        (namespace if role["kind"] == "Role" else "", role["name"]),
        f'RBAC: allowed by {kind} "{shown}" of {role["kind"]} "{role["name"]}"',
        dict(_subjects(obj, namespace)),
    )


def _subjects(obj: Object, namespace: str) -> Iterator[tuple[Subject, str]]:
    for subject in obj.get("subjects") or ():
        kind, name = subject["kind"], subject["name"]
        if kind == "ServiceAccount":
            place = subject.get("namespace") or namespace
            if place:
                account = f"system:serviceaccount:{place}:{name}"
                yield ("User", account), f'{kind} "{name}/{place}"'
        else:
            yield (kind, name), f'{kind} "{name}"'


def _not_found(place: Place) -> str:
    namespace, name = place
    return f'{"role" if namespace else "clusterrole"}.rbac.authorization.k8s.io "{name}" not found'


def _discard(index: dict[_Key, set[Place]], key: _Key, place: Place) -> None:
    places = index.get(key)
    if places is not None:
        places.discard(place)
        if not places:
            del index[key]
