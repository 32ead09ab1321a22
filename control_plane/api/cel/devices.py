"""The variable of expressions that choose devices: the driver, attributes and capacity of one.

    device.driver == "gpu.example.com" && device.attributes["gpu.example.com"].model == "a100"

Source: dynamic-resource-allocation/cel v1.35; what an expression would cost is not estimated.
"""

from __future__ import annotations

import functools
from typing import Final

from control_plane.api.cel.environment import Environment
from control_plane.api.cel.errors import CompileError
from control_plane.api.cel.libraries.quantities import QUANTITY
from control_plane.api.cel.types import BOOL, DYN, STRING, Field, ObjectType, map_of

DEVICE: Final = ObjectType(
    "kubernetes.DRADevice",
    fields={
        "driver": Field("driver", STRING),
        "attributes": Field("attributes", map_of(STRING, map_of(STRING, DYN))),
        "capacity": Field("capacity", map_of(STRING, map_of(STRING, QUANTITY))),
    },
)


@functools.cache
def device_environment() -> Environment:
    """Return the environment of selectors."""
    return Environment({"device": DEVICE}, has_bindings=True)


def selector_mistake(text: str) -> str:
    """Say what is wrong with a selector's expression; "" when nothing is."""
    try:
        output = device_environment().compile(text).output
    except CompileError as error:
        return str(error)
    if output in (BOOL, DYN):
        return ""
    return f"must evaluate to bool or the unknown type, not {output.declared}"
