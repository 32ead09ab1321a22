"""Expressions: what they come to, and what is said of those that come to nothing."""

from typing import Any

import pytest

from control_plane.api.cel import (
    BOOL,
    DYN,
    INT,
    STRING,
    Budget,
    CompileError,
    CostExceeded,
    Environment,
    EvaluationError,
)
from control_plane.api.cel.types import NULL, list_of

ENVIRONMENT = Environment(
    {"object": DYN, "count": INT, "numbers": list_of(INT), "authorizer.requestResource": STRING}
)
BINDINGS: dict[str, Any] = {
    "object": {
        "one": 1,
        "half": 0.5,
        "text": "abc",
        "nothing": None,
        "list": [1, 2, 3],
        "map": {"a": 1, "b": 2},
        "x-y": 5,
        "namespace": "n",
        "time": "2020-02-03T04:05:06Z",
    },
    "count": 3,
    "numbers": [3, 1, 2],
    "authorizer.requestResource": "rr",
}


def value_of(text: str) -> Any:
    return ENVIRONMENT.compile(text).evaluate(BINDINGS)


@pytest.mark.parametrize(
    "text",
    [
        "object.one < 1.5",
        "1 < 2.0",
        "dyn(1) == 1.0",
        "dyn(1) != true",
        "object.nothing == null",
        "object.absent == 1 || true",
        "!(object.absent == 1 && false)",
        "!has(object.absent)",
        "has(object.nothing)",
        "object.x__dash__y == 5",
        "object.__namespace__ == 'n'",
        "authorizer.requestResource.size() == 2",
        "object.list.all(x, x > 0)",
        "object.list.exists(x, x == 3)",
        "object.list.exists_one(x, x == 3)",
        "!object.list.existsOne(i, x, x > 1)",
        "[1, 0].exists(x, 1 / x == 1)",
        "object.list.map(x, x * 2) == [2, 4, 6]",
        "object.list.map(x, x > 1, x * 2) == [4, 6]",
        "object.list.filter(x, x > 1) == [2, 3]",
        "object.map.all(k, k in ['a', 'b'])",
        "object.list.all(i, v, v == i + 1)",
        "object.map.exists(k, v, k == 'b' && v == 2)",
        "object.map.existsOne(k, v, v == 1)",
        "object.list.transformList(i, v, i * v) == [0, 2, 6]",
        "object.list.transformList(i, v, v > 1, v) == [2, 3]",
        "object.map.transformMap(k, v, v + 1) == {'a': 2, 'b': 3}",
        "object.map.transformMap(k, v, v > 1, v) == {'b': 2}",
        "object.map.transformMapEntry(k, v, {string(v): k}) == {'1': 'a', '2': 'b'}",
        "object.?absent.orValue(7) == 7",
        "object.?map.?a.value() == 1",
        "object[?'absent'].hasValue() == false",
        "object.?one.optMap(x, x + 1).orValue(0) == 2",
        "object.?one.optFlatMap(x, optional.none()).or(optional.of(9)).value() == 9",
        "[1, ?optional.none(), ?optional.of(2)] == [1, 2]",
        "{?'a': optional.of(1), ?'b': optional.none()} == {'a': 1}",
        "optional.ofNonZeroValue('').hasValue() == false",
        "type(object.one) == int && type(object.text) == string && type(type(1)) == type",
        "int('12') + int(3.9) + int(2u) == 17",
        "uint(3) == 3u && double('1.5') == 1.5",
        "string(1) + string(1.5) + string(true) == '11.5true'",
        "bytes('é').size() == 2 && 'é'.size() == 1",
        "timestamp(object.time).getFullYear() == 2020",
        "timestamp(object.time).getMonth() == 1 && timestamp(object.time).getDayOfMonth() == 2",
        "timestamp(object.time).getDayOfWeek() == 1 && timestamp(object.time).getDayOfYear() == 33",
        "timestamp(object.time).getHours('+02:00') == 6",
        "timestamp(object.time).getHours('America/New_York') == 23",
        "timestamp(object.time) + duration('1h') == timestamp('2020-02-03T05:05:06Z')",
        "duration('90m').getHours() == 1 && duration('1.5s').getMilliseconds() == 500",
        "string(duration('1m30s')) == '90s'",
        "string(timestamp('2020-01-01T00:00:00.5+01:00')) == '2019-12-31T23:00:00.5Z'",
        "'abc'.matches('^a.c$') && matches('abc', 'b')",
        "'abc'.contains('b') && 'abc'.startsWith('a') && 'abc'.endsWith('c')",
        "-7 / 2 == -3 && -7 % 2 == -1",
        "1.0 / 0.0 > 1.0e300",
        "count == 3 ? true : false",
        "'a' in object.map && !('z' in object.map) && 2 in object.list",
        "numbers[0] == 3 && object.map['a'] == 1",
    ],
)
def test_an_expression_is_true(text: str) -> None:
    assert value_of(text) is True


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("object.absent", "no such key: absent"),
        ("object.text.absent", "no such key: absent"),
        ("object.map['z']", "no such key: z"),
        ("numbers[5]", "index out of bounds: 5"),
        ("numbers[dyn(9e999)]", "unsupported index value inf in list"),
        ("1 / (count - 3)", "division by zero"),
        ("1 % (count - 3)", "modulus by zero"),
        ("9223372036854775807 + count", "integer overflow"),
        ("object.one + 'x'", "no such overload"),
        ("object.one ? 1 : 2", "no such overload"),
        ("object.one.contains('x')", "no such overload: contains(int, string)"),
        ("object.list.all(x, x)", "no such overload"),
        ("int('x' + object.text)", "type conversion error from 'string' to 'int'"),
        ("bool(object.text)", "type conversion error from 'string' to 'bool'"),
        ("object.text.matches(object.text + '(')", "error parsing regexp: missing ): abc("),
        ("optional.none().value()", "optional.none() dereference"),
        (
            "timestamp(object.text)",
            "type conversion error from 'string' to 'google.protobuf.Timestamp'",
        ),
        (
            "duration(object.text)",
            "type conversion error from 'string' to 'google.protobuf.Duration'",
        ),
        ("timestamp(object.time).getHours('Moon')", "unknown time zone Moon"),
    ],
)
def test_an_evaluation_fails(text: str, message: str) -> None:
    program = ENVIRONMENT.compile(text)

    with pytest.raises(EvaluationError) as caught:
        program.evaluate(BINDINGS)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "foo",
            "ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')\n | foo\n | ^",
        ),
        (
            "1.0 == count",
            "ERROR: <input>:1:5: found no matching overload for '_==_' applied to '(double, int)'\n"
            " | 1.0 == count\n | ....^",
        ),
        (
            "count.foo",
            "ERROR: <input>:1:6: type 'int' does not support field selection\n"
            " | count.foo\n | .....^",
        ),
        (
            "true &&\nfoo",
            "ERROR: <input>:2:1: undeclared reference to 'foo' (in container '')\n | foo\n | ^",
        ),
        (
            "[1, 'a']",
            "ERROR: <input>:1:5: expected type 'int' but found 'string'\n | [1, 'a']\n | ....^",
        ),
        (
            "count.all(x, true)",
            "ERROR: <input>:1:1: expression of type 'int' cannot be range of a comprehension (must "
            "be list, map, or dynamic)\n | count.all(x, true)\n | ^",
        ),
        (
            "numbers.all(x, x)",
            "ERROR: <input>:1:16: expected type 'bool' but found 'int'\n"
            " | numbers.all(x, x)\n | ...............^",
        ),
        (
            "'a'.charAt('b')",
            "ERROR: <input>:1:11: found no matching overload for 'charAt' applied to "
            "'string.(string)'\n | 'a'.charAt('b')\n | ..........^",
        ),
        (
            "'a'.matches('(')",
            "ERROR: <input>:1:13: invalid matches argument\n | 'a'.matches('(')\n | ............^",
        ),
        (
            "duration('1 day')",
            "ERROR: <input>:1:10: invalid duration argument\n | duration('1 day')\n | .........^",
        ),
        (
            "1 +",
            "ERROR: <input>:1:4: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', "
            "'.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, "
            "IDENTIFIER}\n | 1 +\n | ...^",
        ),
    ],
)
def test_a_text_does_not_compile(text: str, message: str) -> None:
    with pytest.raises(CompileError) as caught:
        ENVIRONMENT.compile(text)

    assert str(caught.value) == f"compilation failed: {message}"


def test_all_mistakes_are_told_in_their_order() -> None:
    with pytest.raises(CompileError) as caught:
        ENVIRONMENT.compile("foo + bar")

    assert str(caught.value).count("ERROR") == 2
    assert str(caught.value).index("foo") < str(caught.value).index("'bar'")


def test_the_output_must_have_a_wanted_type() -> None:
    with pytest.raises(CompileError, match=r"^must evaluate to bool but got string$"):
        ENVIRONMENT.compile("'a'", outputs=(BOOL,))
    with pytest.raises(CompileError, match=r"^must evaluate to one of \[string null_type\] but"):
        ENVIRONMENT.compile("1", outputs=(STRING, NULL))


def test_a_program_tells_which_variables_it_uses() -> None:
    program = ENVIRONMENT.compile("numbers.all(count, count > 0) && object.one == 1")

    assert program.uses("object")
    assert not program.uses("count")


@pytest.mark.parametrize(
    "text",
    [
        "numbers.all(a, numbers.all(b, numbers.all(c, numbers.all(d, numbers.all(e, a > 0)))))",
        "lists.range(900000).all(x, x >= 0)",
        "numbers.all(a, lists.range(10000).all(b, object.text + 'x' != 'y'))",
    ],
)
def test_an_expression_that_goes_on_too_long_is_ended(text: str) -> None:
    program = ENVIRONMENT.compile(text)

    with pytest.raises(CostExceeded, match=r"^operation cancelled: actual cost limit exceeded$"):
        program.evaluate({**BINDINGS, "numbers": list(range(1, 100))})


def test_a_budget_is_shared_by_evaluations() -> None:
    program, budget = ENVIRONMENT.compile("numbers.all(x, x > 0)"), Budget(100)
    program.evaluate(BINDINGS, budget)
    first = 100 - budget.remaining

    program.evaluate(BINDINGS, budget)

    assert first > 0
    assert budget.remaining == 100 - 2 * first


def test_an_error_that_no_budget_allows_is_not_swallowed_by_or() -> None:
    program = ENVIRONMENT.compile("lists.range(900000).all(x, x >= 0) || true")

    with pytest.raises(CostExceeded):
        program.evaluate(BINDINGS)


@pytest.mark.parametrize("text", ["", "(" * 5000, "[" * 300, "a" * 200_000, "\ud800", "\0"])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(CompileError):
        ENVIRONMENT.compile(text)


def test_a_long_sum_is_refused_or_summed() -> None:
    assert value_of(" + ".join(["1"] * 30)) == 30
    assert value_of(" && ".join(["true"] * 500)) is True
    with pytest.raises(CompileError, match="recursion limit exceeded"):
        ENVIRONMENT.compile(" + ".join(["1"] * 5000))
