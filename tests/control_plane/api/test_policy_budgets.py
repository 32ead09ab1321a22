"""What expressions of policies may cost, together and each, and what becomes of those that do."""

from typing import Any

import pytest

from control_plane.api.cel import BOOL, MATCH_CONDITIONS, PER_CALL, PER_REQUEST, Budget
from control_plane.api.cel.admission import condition_environment
from control_plane.api.policies.compiled import compiled
from control_plane.api.policies.conditions import Conditions, ConditionsFailed
from control_plane.api.policies.evaluation import Outcome, evaluate
from control_plane.api.policies.expressions import OUT_OF_BUDGET, Expression

COSTLY = "lists.range(100000).all(x, x >= 0)"  # true, and within what one call may cost
TOO_COSTLY = "lists.range(1000000).all(x, x >= 0)"
CANCELLED = (
    f"expression '{TOO_COSTLY}' resulted in error: operation cancelled: actual cost limit exceeded"
)


def outcome(*validations: Any, **spec: Any) -> Outcome:
    checks = [{"expression": one} if isinstance(one, str) else one for one in validations]
    policy = {"metadata": {"name": "p"}, "spec": {"validations": checks, **spec}}
    return evaluate(compiled(policy), {"object": {"a": 1}})


def denials(*validations: Any, **spec: Any) -> list[str]:
    return [denial.message for denial in outcome(*validations, **spec).denials]


def _times(limit: int) -> int:
    """How many evaluations of COSTLY fit."""
    budget = Budget(limit)
    Expression.of(COSTLY, condition_environment(), (BOOL,)).evaluate({}, budget)
    return limit // (limit - budget.remaining)


def test_the_limits_are_upstreams() -> None:
    assert (PER_CALL, PER_REQUEST, MATCH_CONDITIONS) == (1_000_000, 10_000_000, 2_500_000)


def test_one_call_is_cancelled_and_the_next_goes_on() -> None:
    assert denials(TOO_COSTLY, "false") == [CANCELLED, "failed expression: false"]


def test_all_validations_share_a_budget_and_end_with_it() -> None:
    most = _times(PER_REQUEST)
    assert denials(*[COSTLY] * most) == []
    assert denials("false", *[COSTLY] * (most + 1), "false") == [OUT_OF_BUDGET]
    assert denials(*[COSTLY] * (most + 1), failurePolicy="Ignore") == []


def test_a_variable_costs_once() -> None:
    variables = [{"name": "v", "expression": COSTLY}]
    uses = ["variables.v"] * (_times(PER_REQUEST) * 2)
    assert denials(*uses, variables=variables) == []
    failing = [{"name": "v", "expression": TOO_COSTLY}]
    assert denials("variables.v", variables=failing) == [
        "expression 'variables.v' resulted in error: composited variable \"v\" fails to evaluate: "
        f"{CANCELLED}"
    ]


def test_match_conditions_have_a_budget_of_their_own() -> None:
    conditions = [{"expression": COSTLY}] * (_times(MATCH_CONDITIONS) + 1)
    environment = condition_environment()
    assert Conditions.of(conditions[:-1], environment).hold({})
    with pytest.raises(ConditionsFailed, match=OUT_OF_BUDGET):
        Conditions.of(conditions, environment).hold({})
    assert denials("false", matchConditions=conditions) == [OUT_OF_BUDGET]
    # one that is false before is the end of it
    assert not Conditions.of([{"expression": "false"}, *conditions], environment).hold({})


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("'  it is ' + string(object.a) + ' '", "it is 1"),
        ("'x'.replace('x', 'y') + lists.range(5119).map(i, 'z').join()", None),
        ("lists.range(5121).map(i, 'z').join()", "else"),
        ("'a\\nb'", "else"),
        ("' '", "else"),
        ("string(object.b)", "else"),
        (f"string({TOO_COSTLY})", "else"),
    ],
)
def test_messages_that_are_of_no_use_give_way(message: str, said: str | None) -> None:
    validation = {"expression": "false", "messageExpression": message, "message": " else "}
    (found,) = denials(validation)
    assert found == ("y" + "z" * 5119 if said is None else said)


def test_messages_take_what_validations_have_left() -> None:
    most = _times(PER_REQUEST)
    costly_message = {"expression": "false", "messageExpression": f"string({COSTLY})"}
    assert denials(*[COSTLY] * (most - 2), costly_message) == ["true"]
    assert denials(*[COSTLY] * most, costly_message) == [OUT_OF_BUDGET]


def test_annotations_have_a_budget_of_their_own_and_may_fail() -> None:
    most = _times(PER_REQUEST)
    keys = [{"key": "a", "valueExpression": "' x '"}, {"key": "b", "valueExpression": "null"}]
    found = outcome(*[COSTLY] * most, auditAnnotations=keys)
    assert [(one.key, one.value, one.error) for one in found.annotations] == [("a", "x", "")]
    failing = [{"key": "a", "valueExpression": "string(object.b)"}]
    (failed,) = outcome("true", auditAnnotations=failing).annotations
    assert failed.error == "expression 'string(object.b)' resulted in error: no such key: b"
    assert not outcome("true", auditAnnotations=failing, failurePolicy="Ignore").annotations
