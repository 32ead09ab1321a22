"""What OpenAPI shows of a custom resource's schema: as apiextensions' builder v1.35 does."""

from typing import Any

import orjson

from control_plane.api.custom.definition import Definition
from control_plane.api.custom.rows import rows_of
from control_plane.api.openapi.custom import custom_definitions, in_full, simplified
from tests.control_plane.api.custom_resource_cases import Object, definition

PLACE = "com.example.stable.v1."
EITHER: Object = {"x-kubernetes-int-or-string": True, "example": 80}
SCHEMA: Object = {"type": "object", "properties": {"port": EITHER}}


def shown(how: Any) -> dict[str, Object]:
    version = {"name": "v1", "served": True, "storage": True}
    made = definition(versions=[{**version, "schema": {"openAPIV3Schema": SCHEMA}}])
    accepted = {"plural": "widgets", "kind": "Widget", "listKind": "WidgetList"}
    met = [{"type": kind, "status": "True"} for kind in ("Established", "NamesAccepted")]
    made["status"] = {"acceptedNames": accepted, "conditions": met}
    return custom_definitions(rows_of(Definition(orjson.dumps(made)), ()), how)


def test_examples_are_not_shown_and_integers_or_strings_have_no_format() -> None:
    for how in (in_full, simplified):
        port = shown(how)[f"{PLACE}Widget"]["properties"]["port"]
        assert port == {"x-kubernetes-int-or-string": True}


def test_lists_are_described() -> None:
    metadata = shown(in_full)[f"{PLACE}WidgetList"]["properties"]["metadata"]
    assert metadata["description"].startswith("Standard list metadata. More info: https://git.k8s")
    assert metadata["description"].endswith("api-conventions.md#types-kinds")
