"""Expressions at random; `make fuzz` tries many more."""

from tests.fuzz.expressions import Expressions


def test_any_expression_is_evaluated_or_refused() -> None:
    expressions = Expressions(seed=7)
    assert not expressions.run(1_000)
    assert expressions.evaluated > 100
