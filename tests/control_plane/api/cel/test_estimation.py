"""What expressions may cost is what upstream's own estimator says, to the last unit.

crd_answers/costs.json has a schema and rules with the costs that k8s.io/apiextensions-apiserver
v0.35.0 gives them; crd_answers/costs/main.go recorded it.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from control_plane.api.cel import BOOL
from control_plane.api.cel.estimation import bounds_of, estimate
from control_plane.api.custom.rules import environment_of

RECORDED: dict[str, Any] = json.loads(
    Path(__file__).parents[1].joinpath("crd_answers", "costs.json").read_text()
)
SCHEMA = RECORDED["schema"]
ENVIRONMENT = environment_of(SCHEMA, is_resource=True)
BOUNDS = bounds_of(SCHEMA, is_resource=True)


@pytest.mark.parametrize(("rule", "cost"), RECORDED["costs"])
def test_what_a_rule_may_cost(rule: str, cost: int) -> None:
    assert BOUNDS is not None
    assert estimate(ENVIRONMENT.compile(rule, (BOOL,)).checked, BOUNDS) == cost


@pytest.mark.parametrize(
    ("schema", "most", "serialized"),
    [
        ({"type": "string"}, 3145726, 2),
        ({"type": "string", "maxLength": 5}, 20, 2),
        ({"type": "string", "enum": ["a", "abc"]}, 3, 2),
        ({"type": "string", "format": "byte", "maxLength": 5}, 5, 2),
        ({"type": "string", "format": "date-time"}, 32, 21),
        ({"type": "boolean"}, 0, 4),
        ({"type": "array", "items": {"type": "integer"}}, 1572863, 2),
        ({"type": "array", "items": {"type": "integer"}, "maxItems": 3}, 3, 2),
        ({"type": "object", "additionalProperties": {"type": "string"}}, 393215, 2),
        ({"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}, 0, 9),
        ({"x-kubernetes-int-or-string": True}, 3145726, 1),
    ],
)
def test_how_large_a_value_can_be(schema: dict[str, Any], most: int, serialized: int) -> None:
    bounds = bounds_of(schema)
    assert bounds is not None
    assert (bounds.most, bounds.serialized) == (most, serialized)


def test_what_says_too_little_has_no_bounds() -> None:
    assert bounds_of({"x-kubernetes-preserve-unknown-fields": True}) is None
    assert bounds_of({"type": "array", "items": {}}) is None
