"""Field errors print as upstream prints them, alone and many together."""

from typing import Any

import pytest

from control_plane.api import field_error
from control_plane.api.errors import Invalid
from control_plane.api.field_error import OMITTED, ErrorType, FieldError
from control_plane.api.go_syntax import print_value, quote
from control_plane.api.resources import DEPLOYMENTS, PODS

CASES = [
    (field_error.required("spec.containers"), "spec.containers: Required value"),
    (field_error.required("a", "why"), "a: Required value: why"),
    (field_error.invalid("spec.replicas", -1, "must be greater than or equal to 0"),
     "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
    (field_error.type_invalid("a", True, "no"), "a: Invalid value: true: no"),
    (field_error.invalid("a", None, "no"), "a: Invalid value: null: no"),
    (field_error.invalid("a", OMITTED, "no"), "a: Invalid value: no"),
    (field_error.invalid("a", "x", ""), 'a: Invalid value: "x"'),
    (field_error.invalid("a", {"b": "1", "a": "2"}, "no"),
     'a: Invalid value: {"a":"2","b":"1"}: no'),
    (field_error.invalid("spec.selector", {"matchLabels": {"app": "b"}}, "field is immutable"),
     'spec.selector: Invalid value: {"matchLabels":{"app":"b"}}: field is immutable'),
    (field_error.not_supported("spec.restartPolicy", "Sometimes", ["Always", "Never"]),
     'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never"'),
    (field_error.duplicate("a[1].name", "c"), 'a[1].name: Duplicate value: "c"'),
    (field_error.not_found("a", "v"), 'a: Not found: "v"'),
    (field_error.forbidden("a", "no"), "a: Forbidden: no"),
    (field_error.too_long("a", 63), "a: Too long: may not be more than 63 bytes"),
    (field_error.too_long("a", 1), "a: Too long: may not be more than 1 byte"),
    (field_error.too_long("a", -1), "a: Too long: value is too long"),
    (field_error.too_many("a", 9, 8), "a: Too many: 9: must have at most 8 items"),
    (field_error.too_many("a", 2, 1), "a: Too many: 2: must have at most 1 item"),
    (field_error.too_many("a", 2, -1), "a: Too many: 2: has too many items"),
    (field_error.internal("a", "boom"), "a: Internal error: boom"),
    (FieldError(ErrorType.INVALID, "", "no", 1), "<nil>: Invalid value: 1: no"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "text"), CASES)
def test_text(error: FieldError, text: str) -> None:
    assert str(error) == text


def test_one_error_makes_a_plain_message_and_its_cause() -> None:
    status = Invalid.of(PODS, "p", [field_error.required("spec.containers")]).status()
    assert status["message"] == 'Pod "p" is invalid: spec.containers: Required value'
    cause = {
        "reason": "FieldValueRequired",
        "message": "Required value",
        "field": "spec.containers",
    }
    assert status["details"] == {"name": "p", "kind": "Pod", "causes": [cause]}


def test_several_errors_are_listed_once_each_and_caused_every_time() -> None:
    twice = [field_error.required("a"), field_error.required("b"), field_error.required("a")]
    status = Invalid.of(DEPLOYMENTS, "d", twice).status()
    assert status["message"] == (
        'Deployment.apps "d" is invalid: [a: Required value, b: Required value]'
    )
    assert [cause["field"] for cause in status["details"]["causes"]] == ["a", "b", "a"]


@pytest.mark.parametrize(
    ("text", "quoted"),
    [('a"b', r'"a\"b"'), ("a\nb\\", r'"a\nb\\"'), ("\x01", r'"\x01"'), ("ä", '"ä"'),
     ("\u200b", r'"\u200b"'), ("\U000e0001", r'"\U000e0001"')],
)  # fmt: skip
def test_quoting(text: str, quoted: str) -> None:
    assert quote(text) == quoted


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1, "1"),
        (True, "true"),
        (["a", 1], '["a",1]'),
        ({"a": "<&>"}, r'{"a":"\u003c\u0026\u003e"}'),
    ],
)
def test_values(value: Any, shown: str) -> None:
    assert print_value(value) == shown
