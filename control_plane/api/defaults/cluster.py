"""Defaults of what a cluster's administrators set up: classes and limits.

Called through the DEFAULTS table. Source: v1.35 scheduling/v1, node/v1 and core/v1 defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.defaults.filling import fill_absent
from control_plane.api.defaults.pod_spec import default_template
from control_plane.api.defaults.resource_lists import round_up
from control_plane.api.objects import parts

if TYPE_CHECKING:
    from control_plane.api.objects import Object


def default_priority_class(priority_class: Object) -> None:
    """Fill one PriorityClass in place."""
    fill_absent(priority_class, "preemptionPolicy", "PreemptLowerPriority")


def default_runtime_class(runtime_class: Object) -> None:
    """Round the amounts of one RuntimeClass in place."""
    for overhead in parts(runtime_class, "overhead"):
        round_up(overhead, "podFixed")


def default_resource_quota(quota: Object) -> None:
    """Round the amounts of one ResourceQuota in place."""
    for spec in parts(quota, "spec"):
        round_up(spec, "hard")
    for status in parts(quota, "status"):
        round_up(status, "hard", "used")


def default_limit_range(limit_range: Object) -> None:
    """Fill one LimitRange in place: of containers, what the other limits say."""
    for item in parts(limit_range, "spec", "limits"):
        round_up(item, "max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
        if item.get("type") != "Container":
            continue
        default = {**(item.get("max") or {}), **(item.get("default") or {})}
        if default:
            item["default"] = default
        request = {**(item.get("min") or {}), **default, **(item.get("defaultRequest") or {})}
        if request:
            item["defaultRequest"] = request


def default_pod_template(template: Object) -> None:
    """Fill one PodTemplate in place."""
    default_template(template)
