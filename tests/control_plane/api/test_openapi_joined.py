"""The v2 documents of several servers as one: names that two of them use differently."""

from typing import Any

from control_plane.api.openapi.joined_v2 import OtherV2, joined

Object = dict[str, Any]
KINDS = "x-kubernetes-group-version-kind"


def document(path: str, reference: str, definitions: Object) -> Object:
    schema = {"$ref": f"#/definitions/{reference}"}
    get = {"responses": {"200": {"description": "OK", "schema": schema}}}
    return {"swagger": "2.0", "paths": {path: {"get": get}}, "definitions": definitions}


def reference_of(found: Object, path: str) -> str:
    schema = found["paths"][path]["get"]["responses"]["200"]["schema"]
    return str(schema["$ref"]).removeprefix("#/definitions/")


OWN = document("/api/v1/pods", "Pod", {"Pod": {"type": "object"}})


def test_alone_a_document_stays_as_it_is() -> None:
    assert joined(OWN, []) == OWN
    assert joined(OWN, [OtherV2("/apis/a/v1", {}, "")]) == OWN
    assert joined(OWN, [OtherV2("/apis/a/v1", {"paths": [], "definitions": 1}, "")]) == OWN


def test_the_first_to_have_a_path_has_it() -> None:
    path = "/apis/a/v1/things"
    one = OtherV2("/apis/a/v1", document(path, "One", {"One": {"type": "string"}}), "")
    two = OtherV2("/apis/a/v1", document(path, "Two", {"Two": {"type": "string"}}), "")
    found = joined(OWN, [one, two])
    assert reference_of(found, path) == "One"
    assert set(found["definitions"]) == {"Pod", "One"}
    assert set(OWN["definitions"]) == {"Pod"}


def test_a_definition_that_differs_gets_the_next_free_name() -> None:
    theirs: Object = {"Pod": {"type": "string"}, "Pod_v2": {"type": "integer"}}
    theirs["Pod"]["items"] = {"$ref": "#/definitions/Pod_v2"}
    others = [
        OtherV2(f"/apis/{name}/v1", document(f"/apis/{name}/v1/pods", "Pod", theirs), "")
        for name in ("a", "b")
    ]
    found = joined(OWN, others)
    assert set(found["definitions"]) == {"Pod", "Pod_v2", "Pod_v3"}
    assert reference_of(found, "/api/v1/pods") == "Pod"
    for name in ("a", "b"):
        assert reference_of(found, f"/apis/{name}/v1/pods") == "Pod_v3"


def test_an_equal_definition_is_shared_and_is_for_the_kinds_of_both() -> None:
    kinds = [{"group": name, "version": "v1", "kind": "DeleteOptions"} for name in ("", "a")]
    own = document("/api/v1/x", "Options", {"Options": {"type": "object", KINDS: kinds[:1]}})
    theirs = document("/apis/a/v1/x", "Options", {"Options": {"type": "object", KINDS: kinds[1:]}})
    found = joined(own, [OtherV2("/apis/a/v1", theirs, "")])
    assert found["definitions"] == {"Options": {"type": "object", KINDS: kinds}}
    assert own["definitions"]["Options"][KINDS] == kinds[:1]
