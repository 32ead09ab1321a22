"""The tables of devices and claims for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control_plane.api.objects import Object, dig, is_terminating, name_of
from control_plane.api.tables.columns import AGE, NAME, Column, View
from control_plane.api.tables.rendering import age

if TYPE_CHECKING:
    from datetime import datetime


def _claim_cells(obj: Object, now: datetime) -> list[Any]:
    return [name_of(obj), ",".join(_states(obj)), age(obj, now)]


def _states(claim: Object) -> list[str]:
    deleted = ["deleted"] if is_terminating(claim) else []
    if dig(claim, "status", "allocation") is None:
        return deleted or ["pending"]
    reserved = ["reserved"] if dig(claim, "status", "reservedFor") else []
    return [*deleted, "allocated", *reserved]


def _slice_cells(obj: Object, now: datetime) -> list[Any]:
    spec = obj.get("spec") or {}
    place = [spec.get("nodeName") or "", spec.get("driver") or "", dig(spec, "pool", "name")]
    return [name_of(obj), *place, age(obj, now)]


def _plain_cells(obj: Object, now: datetime) -> list[Any]:
    return [name_of(obj), age(obj, now)]


NAMED = View((NAME, AGE), _plain_cells)
RESOURCECLAIMS = View(
    (NAME, Column("State", text="Whether it has devices, and somebody uses them."), AGE),
    _claim_cells,
)
RESOURCESLICES = View(
    (
        NAME,
        Column("Node", doc="resource.v1.ResourceSliceSpec.nodeName"),
        Column("Driver", doc="resource.v1.ResourceSliceSpec.driver"),
        Column("Pool", doc="resource.v1.ResourcePool.name"),
        AGE,
    ),
    _slice_cells,
)
