"""Preparation of CustomResourceDefinitions: which versions have been stored.

Called by strategies.py. Source: v1.35 apiextensions customresourcedefinition strategy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.objects import dig
from control_plane.api.preparation import plain
from control_plane.api.preparation.strategy import first_generation

if TYPE_CHECKING:
    from control_plane.api.objects import Object


def create_definition(definition: Object, now: str) -> None:
    """Start with generation 1 and the version that will be stored; nothing serves it yet."""
    first_generation(definition, now)
    definition["status"] = {
        "conditions": None,
        "acceptedNames": {"plural": "", "kind": ""},
        "storedVersions": _storage(definition),
    }


def update_definition(new: Object, old: Object, now: str) -> None:
    """Keep the stored status, and add the version that is stored from now on."""
    plain.keep_status_and_count_specs(new, old, now)
    status = new.setdefault("status", {})
    known = status.get("storedVersions") or []
    added = [name for name in _storage(new) if name not in known]
    if added:
        status["storedVersions"] = [*known, *added]


def _storage(definition: Object) -> list[str]:
    versions = dig(definition, "spec", "versions", default=())
    return [version.get("name") or "" for version in versions if version.get("storage")][:1]
