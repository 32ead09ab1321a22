"""Preparation of daemon sets: how often the template has changed, told in an annotation.

Called by strategies.py. Source: v1.35 daemonset strategy and its conversion to apps/v1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.integers import int64
from control_plane.api.objects import annotations_of, dig
from control_plane.api.preparation.plain import create_workload, update_workload
from control_plane.api.semantics import semantically_equal

if TYPE_CHECKING:
    from control_plane.api.objects import Object

TEMPLATE_GENERATION: Final = "deprecated.daemonset.template.generation"


def create_daemon_set(daemon_set: Object, now: str) -> None:
    """Start without a status; the template's generation is what the client says, at least 1."""
    create_workload(daemon_set, now)
    _say(daemon_set, max(1, _template_generation(daemon_set)))


def update_daemon_set(new: Object, old: Object, now: str) -> None:
    """Keep the stored status; another template is one generation of the template more."""
    update_workload(new, old, now)
    templates = [dig(obj, "spec", "template") for obj in (new, old)]
    _say(new, _template_generation(old) + (0 if semantically_equal(*templates) else 1))


def _template_generation(daemon_set: Object) -> int:
    return int64(annotations_of(daemon_set).get(TEMPLATE_GENERATION) or "") or 0


def _say(daemon_set: Object, number: int) -> None:
    metadata = daemon_set.setdefault("metadata", {})
    metadata["annotations"] = {**annotations_of(daemon_set), TEMPLATE_GENERATION: str(number)}
