"""Whether a node matches a node selector term, the language of spec.affinity.nodeAffinity.

A term matches when all its matchExpressions hold for the labels and all its matchFields for the
node's name; a term with neither matches nothing. NotIn and DoesNotExist hold where the label is
missing; Gt and Lt compare integers and do not hold where either side is not one.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from control_plane.api.integers import int64
from control_plane.scheduler.framework.node_info import NodeInfo

Term = Mapping[str, Any]
Requirement = Mapping[str, Any]


def _compare(actual: str | None, values: list[str], holds: Callable[[int, int], bool]) -> bool:
    left, right = int64(actual or ""), int64(values[0]) if len(values) == 1 else None
    return left is not None and right is not None and holds(left, right)


OPERATORS: Mapping[str, Callable[[str | None, list[str]], bool]] = {
    "In": lambda actual, values: actual in values,
    "NotIn": lambda actual, values: actual not in values,
    "Exists": lambda actual, _values: actual is not None,
    "DoesNotExist": lambda actual, _values: actual is None,
    "Gt": lambda actual, values: _compare(actual, values, int.__gt__),
    "Lt": lambda actual, values: _compare(actual, values, int.__lt__),
}


def _holds(requirement: Requirement, fields: Mapping[str, str]) -> bool:
    operator = OPERATORS.get(requirement.get("operator", ""))
    actual = fields.get(requirement["key"])
    return operator is not None and operator(actual, requirement.get("values") or [])


def matches_term(term: Term, node: NodeInfo) -> bool:
    """Tell whether the node satisfies every requirement of the term."""
    expressions = term.get("matchExpressions") or ()
    fields = term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    return all(_holds(r, node.labels) for r in expressions) and all(
        _holds(r, {"metadata.name": node.name}) for r in fields
    )


def matches_any(terms: Iterable[Term], node: NodeInfo) -> bool:
    """Tell whether the node satisfies at least one term."""
    return any(matches_term(term, node) for term in terms)
