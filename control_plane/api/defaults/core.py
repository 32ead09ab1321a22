"""Defaults of the remaining core objects: secrets, namespaces, nodes.

Called through the DEFAULTS table. Source: v1.35 core/v1 defaults and conversions.
"""

from __future__ import annotations

import base64
import copy
from typing import TYPE_CHECKING

from control_plane.api.defaults.filling import fill_absent, fill_empty, part
from control_plane.api.defaults.resource_lists import round_up
from control_plane.api.objects import parts

if TYPE_CHECKING:
    from control_plane.api.objects import Object

NAME_LABEL = "kubernetes.io/metadata.name"


def default_secret(secret: Object) -> None:
    """Fill one Secret in place: stringData moves into data, which it overwrites, and is gone."""
    texts = secret.pop("stringData", None)
    if texts:
        encoded = {
            key: base64.b64encode(str(text).encode()).decode() for key, text in texts.items()
        }
        secret["data"] = {**(secret.get("data") or {}), **encoded}
    fill_empty(secret, "type", "Opaque")


def default_namespace(namespace: Object) -> None:
    """Fill one Namespace in place: the label with its name is always right."""
    metadata = part(namespace, "metadata")
    if metadata.get("name"):
        metadata["labels"] = {**(metadata.get("labels") or {}), NAME_LABEL: metadata["name"]}
    fill_empty(part(namespace, "status"), "phase", "Active")


def default_node(node: Object) -> None:
    """Fill one Node in place: allocatable from capacity, and the first pod CIDR under both its
    names.
    """
    for status in parts(node, "status"):
        round_up(status, "capacity", "allocatable")
        if status.get("capacity"):
            fill_absent(status, "allocatable", copy.deepcopy(status["capacity"]))
    for spec in parts(node, "spec"):
        _mirror_pod_cidr(spec)


def _mirror_pod_cidr(spec: Object) -> None:
    ranges = spec.get("podCIDRs") or []
    first = spec.get("podCIDR")
    if first and (not ranges or ranges[0] != first):
        spec["podCIDRs"] = [first]
    elif ranges and not first:
        spec["podCIDR"] = ranges[0]
