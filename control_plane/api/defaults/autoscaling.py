"""Defaults of autoscalers, in both their versions.

Called through the DEFAULTS table. Source: v1.35 autoscaling/v1 and v2 defaults.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Final

from control_plane.api.defaults.filling import fill_absent, fill_empty, part
from control_plane.api.objects import parts

if TYPE_CHECKING:
    from control_plane.api.objects import Object

_CPU: Final = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
}
_DOUBLE: Final = {"type": "Percent", "value": 100, "periodSeconds": 15}
_FOUR_PODS: Final = {"type": "Pods", "value": 4, "periodSeconds": 15}


def default_autoscaler_v1(autoscaler: Object) -> None:
    """Fill one autoscaling/v1 HorizontalPodAutoscaler in place."""
    fill_absent(part(autoscaler, "spec"), "minReplicas", 1)


def default_autoscaler(autoscaler: Object) -> None:
    """Fill one autoscaling/v2 HorizontalPodAutoscaler in place."""
    spec = part(autoscaler, "spec")
    fill_absent(spec, "minReplicas", 1)
    fill_empty(spec, "metrics", [copy.deepcopy(_CPU)])
    for behavior in parts(spec, "behavior"):
        up, down = part(behavior, "scaleUp"), part(behavior, "scaleDown")
        fill_absent(up, "stabilizationWindowSeconds", 0)
        for rules, policies in ((up, (_FOUR_PODS, _DOUBLE)), (down, (_DOUBLE,))):
            fill_absent(rules, "selectPolicy", "Max")
            fill_absent(rules, "policies", [dict(policy) for policy in policies])
