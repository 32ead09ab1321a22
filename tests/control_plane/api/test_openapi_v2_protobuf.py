"""The OpenAPI v2 document in protobuf says the same as the one in JSON."""

import orjson
import pytest

from control_plane.api.openapi import openapi_v2_pb2 as pb
from control_plane.api.openapi import v2_protobuf
from control_plane.api.openapi.documents import OpenApiDocuments
from control_plane.api.resources import BUILT_IN

DOCUMENT = OpenApiDocuments(BUILT_IN, "v1.35.0").v2_document()
DECODED = pb.Document.FromString(v2_protobuf.encode(DOCUMENT))


def test_every_path_and_definition_is_there() -> None:
    assert [item.name for item in DECODED.paths.path] == list(DOCUMENT["paths"])
    names = [item.name for item in DECODED.definitions.additional_properties]
    assert names == list(DOCUMENT["definitions"])


def test_clients_learn_how_to_say_who_they_are() -> None:
    (scheme,) = DECODED.security_definitions.additional_properties
    key = scheme.value.api_key_security
    assert (scheme.name, key.type, getattr(key, "in"), key.name) == (
        "BearerToken", "apiKey", "header", "authorization",
    )  # fmt: skip
    (required,) = DECODED.security
    assert [item.name for item in required.additional_properties] == ["BearerToken"]
    assert DOCUMENT["security"] == [{"BearerToken": []}]


def test_a_definition_keeps_types_references_and_extensions() -> None:
    name = "io.k8s.api.apps.v1.DeploymentSpec"
    items = {item.name: item.value for item in DECODED.definitions.additional_properties}

    spec = items[name]
    properties = {item.name: item.value for item in spec.properties.additional_properties}

    wanted = DOCUMENT["definitions"][name]
    assert list(spec.required) == wanted["required"]
    assert properties["replicas"].type.value == ["integer"]
    assert properties["selector"]._ref == wanted["properties"]["selector"]["$ref"]


def test_an_operation_names_its_kind_for_kubectl() -> None:
    path = "/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
    items = {item.name: item.value for item in DECODED.paths.path}

    extensions = {item.name: item.value.yaml for item in items[path].patch.vendor_extension}

    assert orjson.loads(extensions["x-kubernetes-group-version-kind"]) == {
        "group": "apps",
        "kind": "Deployment",
        "version": "v1",
    }


def test_a_member_without_a_field_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="Document has no field for 'tags'"):
        v2_protobuf.encode({"tags": []})
