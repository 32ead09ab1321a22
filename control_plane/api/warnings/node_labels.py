"""Labels of nodes that are deprecated, and the selectors that name them.

Called by the warnings of pods, volumes and classes. Source: v1.35 node warnings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.validation import formats

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from control_plane.api.objects import Object

DEPRECATED_LABELS: Final[Mapping[str, str]] = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": (
        'deprecated since v1.17; use "topology.kubernetes.io/region" instead'
    ),
    "failure-domain.beta.kubernetes.io/zone": (
        'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'
    ),
    "beta.kubernetes.io/instance-type": (
        'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'
    ),
    "app.kubernetes.io/created-by": "deprecated since v1.9",
    "scheduler.alpha.kubernetes.io/preferAvoidPods": (
        "deprecated since v1.22; use Taints and Tolerations instead"
    ),
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
}


def warn_of_terms(terms: list[Object] | None, path: str) -> Iterator[str]:
    """Warn of deprecated labels in the terms of a node selector."""
    for index, term in enumerate(terms or []):
        yield from warn_of_term(term, f"{path}[{index}]")


def warn_of_term(term: Object, path: str, *, checks_values: bool = False) -> Iterator[str]:
    """Warn of deprecated labels in one term, and of values that no label can have."""
    for index, expression in enumerate(term.get("matchExpressions") or []):
        where, key = f"{path}.matchExpressions[{index}]", expression.get("key") or ""
        if key in DEPRECATED_LABELS:
            yield f"{where}.key: {key} is {DEPRECATED_LABELS[key]}"
        for position, value in enumerate(expression.get("values") or [] if checks_values else []):
            for message in formats.label_value(value):
                yield f"{where}.values[{position}]: {value} is invalid, {message}"


def warn_of_label_selector(selector: Object | None, path: str) -> Iterator[str]:
    """Warn of deprecated labels in a label selector of nodes."""
    for key in sorted((selector or {}).get("matchLabels") or {}):
        if key in DEPRECATED_LABELS:
            yield f"{path}.matchLabels[{key}]: {DEPRECATED_LABELS[key]}"
    for index, expression in enumerate((selector or {}).get("matchExpressions") or []):
        key = expression.get("key") or ""
        if key in DEPRECATED_LABELS:
            yield f"{path}.matchExpressions[{index}].key: {DEPRECATED_LABELS[key]}"
