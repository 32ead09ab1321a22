"""A row of VALIDATORS: the rules one kind adds to those of metadata.

Called by validators.py, which holds the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from control_plane.api.validation import formats

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object


def nothing_on_create(_obj: Object) -> Iterable[FieldError]:
    """Add no rules to a create."""
    return ()


def nothing_on_update(_new: Object, _old: Object) -> Iterable[FieldError]:
    """Add no rules to an update."""
    return ()


@dataclass(frozen=True, slots=True)
class Validator:
    """on_create: (object); on_update: (new, old); name_rule: text -> messages."""

    on_create: Callable[[Object], Iterable[FieldError]] = nothing_on_create
    on_update: Callable[[Object, Object], Iterable[FieldError]] = nothing_on_update
    name_rule: Callable[[str], list[str]] = formats.dns1123_subdomain


def on_both(
    rules: Callable[[Object], Iterable[FieldError]],
    name_rule: Callable[[str], list[str]] = formats.dns1123_subdomain,
) -> Validator:
    """Return a row whose rules are the same for a create and an update."""
    return Validator(rules, lambda new, _old: rules(new), name_rule)
