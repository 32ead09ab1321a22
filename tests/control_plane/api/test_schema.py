"""The type definitions: found by kind, in OpenAPI form, with merge keys and list types."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from control_plane.api import schema as schemas
from control_plane.api.schema import ListType, schema


def test_definitions_are_found_by_api_version_and_kind() -> None:
    assert schema().name_for("apps/v1", "Deployment") == "io.k8s.api.apps.v1.Deployment"
    assert schema().name_for("autoscaling/v1", "Scale") == "io.k8s.api.autoscaling.v1.Scale"
    assert schema().definition_for("v1", "Podd") is None


def test_threads_that_ask_at_once_share_one_reading() -> None:
    schemas.schema.cache_clear()
    schemas._load.cache_clear()
    start = Barrier(4)

    def ask(_: int) -> int:
        start.wait()
        return id(schema())

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(ask, range(4)))) == 1


def test_nothing_of_the_json_schema_form_is_left() -> None:
    text = json.dumps(dict(schema().definitions))
    assert "$defs" not in text
    assert '"null"' not in text
    pod = schema().definitions["io.k8s.api.core.v1.Pod"]
    assert "enum" not in pod["properties"]["kind"]
    assert pod["properties"]["spec"]["$ref"] == "#/definitions/io.k8s.api.core.v1.PodSpec"


def test_scalars_that_json_schema_cannot_name() -> None:
    assert schema().definitions[schemas.QUANTITY]["type"] == "string"
    assert schema().definitions[schemas.INT_OR_STRING]["format"] == "int-or-string"


def test_every_reference_leads_somewhere() -> None:
    def check(node: object) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                assert schema().resolve(node)
            for child in node.values():
                check(child)
        elif isinstance(node, list):
            for child in node:
                check(child)

    for definition in schema().definitions.values():
        check(definition)


def test_a_path_leads_through_references_and_lists() -> None:
    ports = schema().at("apps/v1", "Deployment", "spec", "template", "spec", "containers", "ports")
    assert ports is not None
    assert schemas.patch_merge_key(ports) == "containerPort"
    assert schemas.patch_strategies(ports) == {"merge"}
    assert schemas.list_type(ports) == ListType("map", ("containerPort", "protocol"))
    protocol = schema().at("v1", "Pod", "spec", "containers", "ports", "protocol")
    assert protocol is not None
    assert protocol["default"] == "TCP"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (("metadata", "finalizers"), ListType("set")),
        (("spec", "containers", "command"), ListType("atomic")),
        (("spec", "tolerations"), ListType("atomic")),
        (("spec", "volumes"), ListType("map", ("name",))),
    ],
)
def test_list_types(path: tuple[str, ...], kind: ListType) -> None:
    node = schema().at("v1", "Pod", *path)
    assert node is not None
    assert schemas.list_type(node) == kind


def test_maps_required_fields_and_unknown_fields() -> None:
    selector = schema().at("v1", "Pod", "spec", "nodeSelector")
    assert selector is not None
    assert schemas.is_atomic_map(selector)
    label = schema().field(selector, "anything")
    assert label is not None
    assert label["type"] == "string"
    assert schema().at("v1", "Pod", "spec", "nonsense", "below") is None
    container = schema().definitions["io.k8s.api.core.v1.Container"]
    assert schemas.required_fields(container) == ("name",)


def test_retain_keys_is_a_strategy_of_its_own() -> None:
    strategy = schema().at("apps/v1", "Deployment", "spec", "strategy")
    assert strategy is not None
    assert schemas.patch_strategies(strategy) == {"retainKeys"}
