"""The managers of an object: metadata.managedFields, decoded, ordered, capped and encoded.

A manager is told from others by its name, operation, subresource and, when it updates, version. Its
set is in the version's terms. Pure; called by tracking.py, applying.py and scale_ownership.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from control_plane.api.apply.field_path import FieldPathError
from control_plane.api.apply.field_set import FieldSet, read_fields, union, written

if TYPE_CHECKING:
    from control_plane.api.objects import Object

APPLY: Final = "Apply"
UPDATE: Final = "Update"
FIELDS_V1: Final = "FieldsV1"
MAX_UPDATE_MANAGERS: Final = 10
OLD_UPDATES: Final = "ancient-changes"


class ManagedFieldsError(ValueError):
    """A list of managedFields says nothing that could be understood."""


class Manager(NamedTuple):
    """One writer and what it owns; `time` is "" when it is not known.

    `encoded` is the entry that the manager was read from, as long as nothing about it has changed.
    """

    name: str
    operation: str
    api_version: str
    subresource: str
    fields: FieldSet
    time: str = ""
    encoded: Object | None = None

    @property
    def identity(self) -> str:
        """Return what tells this manager from others; managers are sorted by it."""
        version = "" if self.operation == APPLY else self.api_version
        parts = (
            ("manager", self.name),
            ("operation", self.operation),
            ("apiVersion", version),
            ("subresource", self.subresource),
        )
        return orjson.dumps({name: value for name, value in parts if value}).decode()

    def owning(self, fields: FieldSet) -> Manager:
        """Return this manager with another set."""
        return self if fields is self.fields else self._replace(fields=fields, encoded=None)

    @property
    def shown(self) -> str:
        """Return the manager as a conflict names it."""
        text = orjson.dumps(self.name).decode()
        if self.subresource:
            text += f' with subresource "{self.subresource}"'
        return f"{text} using {self.api_version}" if self.operation == UPDATE else text


Managers = dict[str, Manager]  # by identity


def decode(entries: Any) -> Managers:
    """Return the managers of a managedFields list, {} for none; raises ManagedFieldsError."""
    if entries is None:
        return {}
    if not isinstance(entries, list):
        raise ManagedFieldsError("managedFields must be a list")
    managers = [_decode_entry(entry, index) for index, entry in enumerate(entries)]
    return {manager.identity: manager for manager in managers}


def objection(entries: Any) -> str:
    """Say why a managedFields list cannot be read, "" when it can."""
    try:
        decode(entries)
    except ManagedFieldsError as error:
        return str(error)
    return ""


def _decode_entry(entry: Any, index: int) -> Manager:
    if not isinstance(entry, dict):
        raise ManagedFieldsError(f"managed fields entry {index} must be an object")
    if entry.get("operation") not in (APPLY, UPDATE):
        raise ManagedFieldsError("operation must be `Apply` or `Update`")
    if not entry.get("apiVersion"):
        raise ManagedFieldsError("apiVersion must not be empty")
    kind = entry.get("fieldsType")
    if kind != FIELDS_V1:
        raise ManagedFieldsError(
            f'invalid fieldsType "{kind}" in managed fields entry {index}'
            if kind
            else f"missing fieldsType in managed fields entry {index}"
        )
    try:
        fields = read_fields(entry.get("fieldsV1"))
    except FieldPathError as error:
        raise ManagedFieldsError(f"error decoding managed fields: {error}") from None
    return Manager(
        entry.get("manager") or "",
        entry["operation"],
        entry["apiVersion"],
        entry.get("subresource") or "",
        fields,
        entry.get("time") or "",
        entry,
    )


def encode(managers: Managers) -> list[Object]:
    """Return the managedFields list, in the order in which the API keeps it."""
    ordered = sorted(
        managers.values(),
        key=lambda m: (m.operation, m.time, m.name, m.api_version, m.subresource),
    )
    return [manager.encoded or _encode_entry(manager) for manager in ordered]


def _encode_entry(manager: Manager) -> Object:
    entry: Object = {
        "manager": manager.name,
        "operation": manager.operation,
        "apiVersion": manager.api_version,
        "time": manager.time,
        "fieldsType": FIELDS_V1,
        "fieldsV1": written(manager.fields),
        "subresource": manager.subresource,
    }
    return {field: value for field, value in entry.items() if value or field == "fieldsV1"}


def capped(managers: Managers) -> Managers:
    """Return the managers with no more than MAX_UPDATE_MANAGERS updaters.

    The oldest are put together, one bucket a version; a version's only old updater keeps its name.
    """
    updaters = [manager for manager in managers.values() if manager.operation == UPDATE]
    excess = len(updaters) - MAX_UPDATE_MANAGERS
    if excess <= 0:
        return managers
    result = dict(managers)
    first: dict[str, Manager] = {}
    for manager in sorted(updaters, key=lambda m: (m.time, m.identity)):
        if excess <= 0:
            break
        version = manager.api_version
        if version not in first:
            first[version] = manager
            continue
        _put_together(result, first[version], manager)
        excess -= 1
    return result


def _put_together(managers: Managers, first: Manager, manager: Manager) -> None:
    """Move a manager's set into the bucket of its version, made of `first` when there is none."""
    bucket = Manager(OLD_UPDATES, UPDATE, manager.api_version, "", {})
    held = managers.get(bucket.identity)
    if held is None:
        held = managers.pop(first.identity)
    if manager.identity in managers:
        del managers[manager.identity]
    fields = union(manager.fields, held.fields)
    managers[bucket.identity] = bucket._replace(fields=fields, time=manager.time)


def is_reset(entries: Any) -> bool:
    """Tell whether a list sent by a client asks to forget all managers: [] or [{}]."""
    return entries in ([], [{}])


def same_but_for_time(new: Any, old: Any) -> bool:
    """Tell whether two managedFields lists differ in nothing but their times."""
    if not new or not old or len(new) != len(old):
        return False
    return all(
        {**mine, "time": ""} == {**other, "time": ""} for mine, other in zip(new, old, strict=True)
    )
