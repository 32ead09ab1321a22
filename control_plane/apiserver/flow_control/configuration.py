"""From the flow control objects of a cluster to what FlowControl works with. Pure.

Mandatory objects that are missing are supplied, so that there is always a way in for administrators
and a place for everything else. Objects that make no sense are left out, and schemas whose level is
not there.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from control_plane.api.flow_bootstrap import (
    MANDATORY_LEVELS,
    MANDATORY_SCHEMAS,
    bootstrap_objects,
)
from control_plane.api.objects import Object, name_of
from control_plane.apiserver.flow_control.classification import FlowSchema, compiled, in_order
from control_plane.apiserver.flow_control.priority_level import LevelSpec, level_spec

logger = logging.getLogger(__name__)

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Configuration:
    """Schemas in the order of matching, each of whose levels is among `levels`.

    `missing` says of every FlowSchema object whether its level is missing.
    """

    schemas: tuple[FlowSchema, ...]
    levels: tuple[LevelSpec, ...]
    missing: dict[str, bool] = field(default_factory=dict)


def configuration_of(schemas: Iterable[Object], levels: Iterable[Object]) -> Configuration:
    """Digest the objects of a cluster."""
    specs = {spec.name: spec for spec in _readable(levels, level_spec)}
    found = list(_readable(schemas, compiled))
    missing = {schema.name: schema.level not in specs for schema in found}
    for obj in bootstrap_objects(MANDATORY_LEVELS):
        specs.setdefault(name_of(obj), level_spec(obj))
    usable = {schema.name: schema for schema in found if not missing[schema.name]}
    for obj in bootstrap_objects(MANDATORY_SCHEMAS):
        usable.setdefault(name_of(obj), compiled(obj))
    return Configuration(tuple(in_order(usable.values())), tuple(specs.values()), missing)


def _readable(objects: Iterable[Object], read: Callable[[Object], Read]) -> Iterable[Read]:
    for obj in objects:
        try:
            yield read(obj)
        except (KeyError, TypeError, AttributeError) as error:
            logger.error("flow control object ignored name=%s: %r", name_of(obj), error)
