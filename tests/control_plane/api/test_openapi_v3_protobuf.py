"""The OpenAPI v3 documents in protobuf say the same as those in JSON."""

from typing import Any

import orjson
import pytest

from control_plane.api.openapi import openapi_v3_pb2 as pb
from control_plane.api.openapi import v3_protobuf
from control_plane.api.openapi.documents import OpenApiDocuments
from control_plane.api.resources import BUILT_IN

DOCUMENTS = OpenApiDocuments(BUILT_IN, "v1.35.0")


@pytest.fixture(scope="module")
def document() -> Any:
    found = DOCUMENTS.v3("apis/apps/v1")
    assert found is not None
    return orjson.loads(found.body)


@pytest.fixture(scope="module")
def decoded() -> pb.Document:
    found = DOCUMENTS.v3_protobuf("apis/apps/v1")
    assert found is not None
    return pb.Document.FromString(found.body)


def named(items: Any) -> dict[str, Any]:
    return {item.name: item.value for item in items}


def schema_of(content: dict[str, Any]) -> Any:
    """A schema, there and back."""
    document = {"components": {"schemas": {"com.example.v1.Foo": content}}}
    found = pb.Document.FromString(v3_protobuf.encode(document))
    return named(found.components.schemas.additional_properties)["com.example.v1.Foo"].schema


def test_every_path_and_schema_is_there(document: Any, decoded: pb.Document) -> None:
    assert [item.name for item in decoded.paths.path] == list(document["paths"])
    schemas = named(decoded.components.schemas.additional_properties)
    assert list(schemas) == list(document["components"]["schemas"])
    assert decoded.info.version == "v1.35.0"


def test_clients_learn_how_to_say_who_they_are(document: Any, decoded: pb.Document) -> None:
    (scheme,) = decoded.components.security_schemes.additional_properties
    key = scheme.value.security_scheme
    assert document["components"]["securitySchemes"][scheme.name] == {
        "type": key.type,
        "name": key.name,
        "in": getattr(key, "in"),
        "description": key.description,
    }
    assert (scheme.name, key.type, key.name) == ("BearerToken", "apiKey", "authorization")


def test_a_reference_keeps_what_stands_beside_it(document: Any, decoded: pb.Document) -> None:
    schemas = named(decoded.components.schemas.additional_properties)
    name = "io.k8s.api.apps.v1.DeploymentSpec"
    spec = schemas[name].schema
    properties = named(spec.properties.additional_properties)
    wanted = document["components"]["schemas"][name]
    assert list(spec.required) == wanted["required"]
    assert properties["replicas"].schema.type == "integer"
    selector = wanted["properties"]["selector"]
    found = properties["selector"].schema
    assert [one.reference._ref for one in found.all_of] == [selector["allOf"][0]["$ref"]]
    assert found.description == selector["description"]


def test_an_operation_has_its_parameters_body_and_answers(decoded: pb.Document) -> None:
    paths = named(decoded.paths.path)
    item = paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]
    assert {one.parameter.name for one in item.parameters} == {"namespace", "name"}
    assert "fieldManager" in {one.parameter.name for one in item.patch.parameters}
    body = named(item.put.request_body.request_body.content.additional_properties)
    assert body["*/*"].schema.reference._ref == (
        "#/components/schemas/io.k8s.api.apps.v1.Deployment"
    )
    answers = named(item.put.responses.response_or_reference)
    assert set(answers) == {"200", "201", "401"}
    extensions = named(item.patch.specification_extension)
    assert orjson.loads(extensions["x-kubernetes-action"].yaml) == "patch"


@pytest.mark.parametrize(
    ("default", "field"), [("TCP", "string"), (5, "number"), (False, "boolean"), ({"a": 1}, None)]
)
def test_a_default_is_a_string_a_number_or_a_boolean(default: Any, field: str | None) -> None:
    found = schema_of({"default": default}).default
    assert found.WhichOneof("oneof") == field
    assert field is None or getattr(found, field) == default


def test_every_word_of_a_custom_resource_schema_has_a_field() -> None:
    found = schema_of(
        {
            "type": "object", "title": "t", "description": "d", "format": "int64",
            "nullable": True, "example": {"a": 1}, "externalDocs": {"url": "u"},
            "maximum": 1.5, "exclusiveMaximum": True, "minimum": 1, "exclusiveMinimum": True,
            "maxLength": 1, "minLength": 1, "pattern": "^a$", "maxItems": 1, "minItems": 1,
            "uniqueItems": False, "multipleOf": 2, "enum": ["a"], "maxProperties": 1,
            "minProperties": 1, "required": ["x-a"], "items": {"type": "string"},
            "allOf": [{}], "oneOf": [{}], "anyOf": [{}], "not": {"type": "null"},
            "properties": {"x-a": {"additionalProperties": True},
                           "b": {"additionalProperties": {"type": "string"}}},
            "x-kubernetes-validations": [{"rule": "true"}],
        }
    )  # fmt: skip
    properties = named(found.properties.additional_properties)
    assert properties["x-a"].schema.additional_properties.boolean
    inner = properties["b"].schema.additional_properties.schema_or_reference.schema
    assert inner.type == found.items.schema_or_reference[0].schema.type == "string"
    assert orjson.loads(found.example.yaml) == {"a": 1}
    assert getattr(found, "not").type == "null"
    extensions = named(found.specification_extension)
    assert orjson.loads(extensions["x-kubernetes-validations"].yaml) == [{"rule": "true"}]


def test_documents_of_what_has_not_changed_are_kept() -> None:
    again = DOCUMENTS.of(BUILT_IN)
    assert again.v3_protobuf("apis/apps/v1") is DOCUMENTS.v3_protobuf("apis/apps/v1")
    assert DOCUMENTS.v3_protobuf("apis/nonsense/v1") is None
