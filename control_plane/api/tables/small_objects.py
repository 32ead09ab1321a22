"""The tables of types with a column or two: namespaces, configuration, accounts, leases.

And of all others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control_plane.api.objects import Object, dig, name_of
from control_plane.api.tables.columns import AGE, NAME, Column, View
from control_plane.api.tables.rendering import age

if TYPE_CHECKING:
    from datetime import datetime


def _namespace_cells(obj: Object, now: datetime) -> list[Any]:
    return [name_of(obj), dig(obj, "status", "phase", default=""), age(obj, now)]


def _configmap_cells(obj: Object, now: datetime) -> list[Any]:
    count = len(obj.get("data") or {}) + len(obj.get("binaryData") or {})
    return [name_of(obj), count, age(obj, now)]


def _secret_cells(obj: Object, now: datetime) -> list[Any]:
    return [name_of(obj), obj.get("type") or "", len(obj.get("data") or {}), age(obj, now)]


def _account_cells(obj: Object, now: datetime) -> list[Any]:
    return [name_of(obj), age(obj, now)]


def _lease_cells(obj: Object, now: datetime) -> list[Any]:
    return [name_of(obj), dig(obj, "spec", "holderIdentity", default=""), age(obj, now)]


def _plain_cells(obj: Object, now: datetime) -> list[Any]:
    return [name_of(obj), dig(obj, "metadata", "creationTimestamp")]


def _scale_cells(obj: Object, now: datetime) -> list[Any]:
    desired, current = dig(obj, "spec", "replicas", default=0), dig(obj, "status", "replicas")
    return [name_of(obj), desired, current or 0, age(obj, now)]


NAMESPACES = View(
    (NAME, Column("Status", doc="core.v1.NamespaceStatus.phase"), AGE), _namespace_cells
)
CONFIGMAPS = View((NAME, Column("Data", doc="core.v1.ConfigMap.data"), AGE), _configmap_cells)
SECRETS = View(
    (
        NAME,
        Column("Type", doc="core.v1.Secret.type"),
        Column("Data", doc="core.v1.Secret.data"),
        AGE,
    ),
    _secret_cells,
)
SERVICEACCOUNTS = View((NAME, AGE), _account_cells)
LEASES = View(
    (NAME, Column("Holder", doc="coordination.v1.LeaseSpec.holderIdentity"), AGE), _lease_cells
)
SCALE = View(
    (
        Column("Name", doc="ObjectMeta.name"),
        Column("Desired", "integer", doc="autoscaling.v1.ScaleSpec.replicas"),
        Column("Available", "integer", doc="autoscaling.v1.ScaleStatus.replicas"),
        AGE,
    ),
    _scale_cells,
)
PLAIN = View((NAME, Column("Created At", "date", doc="ObjectMeta.creationTimestamp")), _plain_cells)
