"""Label selectors: upstream's grammar, its error texts, and matching."""

import re

import pytest

from control_plane.api import label_selector

QUALIFIED = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    "or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
OPERATORS = "in, notin, =, ==, !=, gt, lt"


def exactly(message: str) -> str:
    return f"^{re.escape(message)}$"


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("", ""),
        ("a=b", "a=b"),
        ("a==b", "a==b"),
        ("b!=c,a", "a,b!=c"),
        ("a in (y, x)", "a in (x,y)"),
        ("a in(b)", "a in (b)"),
        ("a in ()", "a in ()"),
        ("a in (,x)", "a in (,x)"),
        ("a in (x,)", "a in (,x)"),
        ("x in (a,,b)", "x in (,a,b)"),
        ("!a", "!a"),
        ("a>1,b<3", "a>1,b<3"),
        ("a=", "a="),
        ("a=,b", "a=,b"),
        ("in in (in,notin)", "in in (in,notin)"),
        ("notin", "notin"),
        ("example.com/a=b", "example.com/a=b"),
        ("\ta = b\n", "a=b"),
    ],
)
def test_text_and_its_canonical_form(text: str, canonical: str) -> None:
    selector = label_selector.parse(text)
    assert str(selector) == canonical
    assert label_selector.parse(canonical) == selector


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a=b,", "found '', expected: identifier after ','"),
        ("a,,b", "found ',', expected: identifier after ','"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("!a=b", "found '=', expected: ',' or 'end of string'"),
        ("(", "found '(', expected: !, identifier, or 'end of string'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("a b", f"unable to parse requirement: found 'b', expected: {OPERATORS}"),
        ("a!b", f"unable to parse requirement: found '!', expected: {OPERATORS}"),
        ("a===b", "unable to parse requirement: found '=', expected: identifier"),
        ("a in x", "unable to parse requirement: found 'x' expected: '('"),
        ("a in (x", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a in (=)", "unable to parse requirement: found '=', expected: ',', ')' or identifier"),
        ("a in (,,)", "unable to parse requirement: found ')', expected: ',', or identifier"),
        ("-a=b", f'unable to parse requirement: <nil>: Invalid value: "-a": name part {QUALIFIED}'),
        ("/a", 'unable to parse requirement: <nil>: Invalid value: "/a": '
         "prefix part must be non-empty"),
        ("a=-b", f'unable to parse requirement: values[0][a]: Invalid value: "-b": {VALUE}'),
        ("a>x", 'unable to parse requirement: values[0]: Invalid value: "x": '
         "for 'Gt', 'Lt' operators, the value must be an integer"),
    ],
)  # fmt: skip
def test_refusals(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=exactly(message)):
        label_selector.parse(text)


@pytest.mark.parametrize(
    ("text", "labels", "matches"),
    [
        ("", {}, True),
        ("a=b", {"a": "b"}, True),
        ("a=b", {"a": "c"}, False),
        ("a=b", {}, False),
        ("a=", {}, False),
        ("a=", {"a": ""}, True),
        ("a!=b", {}, True),
        ("a!=b", {"a": "b"}, False),
        ("a in (b,c)", {"a": "c"}, True),
        ("a notin (b,c)", {}, True),
        ("a notin (b,c)", {"a": "c"}, False),
        ("a", {"a": ""}, True),
        ("a", {}, False),
        ("!a", {}, True),
        ("!a", {"a": ""}, False),
        ("a>1", {"a": "2"}, True),
        ("a>1", {"a": "1"}, False),
        ("a<1", {"a": "-5"}, True),
        ("a<1", {"a": "x"}, False),
        ("a<1", {}, False),
        ("a=b,c=d", {"a": "b"}, False),
    ],
)
def test_matching(text: str, labels: dict[str, str], matches: bool) -> None:
    assert label_selector.parse(text).matches(labels) is matches


def test_selector_objects() -> None:
    selector = label_selector.from_object(
        {
            "matchLabels": {"b": "c"},
            "matchExpressions": [
                {"key": "a", "operator": "NotIn", "values": ["y", "x"]},
                {"key": "z", "operator": "DoesNotExist"},
                {"key": "k", "operator": "Exists", "values": []},
            ],
        }
    )
    assert str(selector) == "a notin (x,y),b=c,k,!z"
    assert selector.matches({"b": "c", "k": ""})


def test_no_object_matches_nothing_and_an_empty_one_everything() -> None:
    assert not label_selector.from_object(None).matches({})
    assert label_selector.from_object({}).is_everything
    assert label_selector.from_map(None).is_everything
    assert str(label_selector.from_map({"b": "2", "a": "1"})) == "a=1,b=2"


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ({"key": "a", "operator": "Near"}, '"Near" is not a valid label selector operator'),
        ({"key": "a", "operator": "In", "values": []},
         "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty"),
        ({"key": "a", "operator": "Exists", "values": ["x"]},
         'values: Invalid value: ["x"]: values set must be empty for exists and does not exist'),
    ],
)  # fmt: skip
def test_bad_selector_objects(expression: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=exactly(message)):
        label_selector.from_object({"matchExpressions": [expression]})
