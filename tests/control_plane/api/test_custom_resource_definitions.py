"""CustomResourceDefinitions are refused as upstream's own validation refuses them.

crd_answers/answers.json has definitions with what k8s.io/apiextensions-apiserver v0.35.0 says of
each; crd_answers/main.go recorded it.
"""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from control_plane.api.conversion import conversion_for
from control_plane.api.defaults import apply_defaults
from control_plane.api.preparation import prepare_for_create
from control_plane.api.resources import CUSTOMRESOURCEDEFINITIONS
from control_plane.api.validation import validate_create
from tests.control_plane.api.custom_resource_cases import definition, two_versions

Object = dict[str, Any]
CASES: list[Object] = json.loads(
    Path(__file__).with_name("crd_answers").joinpath("answers.json").read_text()
)
NOW = "2026-01-01T00:00:00Z"
STRUCTS = ('"OpenAPIV3Schema":{', '{"ID":')  # whole schemas, which are not printed as Go's structs


def without_value(error: str) -> tuple[str, str]:
    return error.partition(": Invalid value: ")[0], error.rpartition(": ")[2]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_what_is_wrong_with_a_definition(case: Object) -> None:
    obj = copy.deepcopy(case["definition"])
    apply_defaults(CUSTOMRESOURCEDEFINITIONS, obj)
    prepare_for_create(CUSTOMRESOURCEDEFINITIONS, obj, now=NOW)
    found = [str(error) for error in validate_create(CUSTOMRESOURCEDEFINITIONS, obj)]
    if any(struct in error for error in case["errors"] for struct in STRUCTS):
        assert list(map(without_value, found)) == list(map(without_value, case["errors"]))
    else:
        assert found == case["errors"]


@pytest.mark.parametrize("made", [definition(), two_versions()])
def test_the_stored_form_says_the_same(made: Object) -> None:
    conversion = conversion_for(CUSTOMRESOURCEDEFINITIONS)
    assert conversion is not None
    assert conversion.from_stored(conversion.to_stored(made)) == made
