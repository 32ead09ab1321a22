"""Custom resources whose values have not the shape that the schema gives their owners."""

from tests.control_plane.apiserver.custom_stage import (
    DEFINITIONS,
    Custom,
    Object,
    definition,
    established,
    version,
)
from tests.support.raw_api import RawApi
from tests.support.wait import wait_until

TEXT: Object = {"type": "string"}
STRUCT: Object = {"type": "object", "properties": {"a": TEXT}}
SET: Object = {"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"}


def schema(**properties: Object) -> Object:
    return {"type": "object", "properties": properties}


def redefine(foos: Custom, wanted: Object) -> None:
    """Give them another schema, and wait until it is what is asked of new objects."""
    patch = [{"op": "replace", "path": "/spec/versions/0/schema/openAPIV3Schema", "value": wanted}]
    path = f"{DEFINITIONS}/{foos.name}"
    done = foos.api.patch(path, patch, "json")
    assert done.code == 200, done.text
    spoilt = foos.obj("probe", x="text", items="text")
    wait_until(
        lambda: foos.api.post(f"{foos.path()}?dryRun=All", spoilt).code == 422, "it is in force"
    )


def test_text_where_a_schema_without_type_has_fields(api: RawApi, namespace: str) -> None:
    loose = {"x-kubernetes-preserve-unknown-fields": True, "properties": {"a": TEXT}}
    made = definition(version(schema=schema(x=loose)))
    with established(api, namespace, made) as foos:
        created = api.post(foos.path(), foos.obj("one", x="text"))
        assert (created.code, created.json["x"]) == (201, "text")
        assert "managedFields" not in created.json["metadata"]
        changed = api.patch(foos.path("one"), {"x": {"a": "b"}})
        assert (changed.code, changed.json["x"]) == (200, {"a": "b"})


def test_objects_from_before_a_definition_changed_can_be_mended(
    api: RawApi, namespace: str
) -> None:
    made = definition(version(schema=schema(x=TEXT, items=TEXT)))
    with established(api, namespace, made) as foos:
        for name in ("put", "patched", "labelled", "applied"):
            assert api.post(foos.path(), foos.obj(name, x="b", items="c")).code == 201
        redefine(foos, schema(x=STRUCT, items=SET))
        right: Object = {"x": {"a": "b"}, "items": ["c"]}
        old = api.get(foos.path("put")).json
        assert api.put(foos.path("put"), {**old, **right}).code == 200
        assert api.patch(foos.path("patched"), right).code == 200
        assert api.get(foos.path("patched")).json["items"] == ["c"]
        labelled = api.patch(foos.path("labelled"), {"metadata": {"labels": {"a": "b"}}})
        assert (labelled.code, labelled.json["x"]) == (200, "b")  # nothing was wrong before
        config = foos.obj("applied", **right)
        refused = api.apply(foos.path("applied"), config, "me")
        assert refused.code == 400
        assert ".x: expected map, got &{b}" in refused.json["message"]
        assert api.delete(foos.path("applied")).code == 200
