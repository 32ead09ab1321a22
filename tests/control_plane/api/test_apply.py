"""Server-side apply: ownership, conflicts, force, and what is removed."""

import re
from typing import Any

import orjson
import pytest

from control_plane.api.apply import Applier, apply, endpoint_of
from control_plane.api.apply.client_side import LAST_APPLIED
from control_plane.api.errors import ApiError, BadRequest, Conflict
from control_plane.api.objects import Object
from control_plane.api.resources import CONFIGMAPS
from tests.control_plane.api.apply_objects import (
    LATER,
    NOW,
    applied,
    changed,
    config_map,
    created,
    defaulted,
    deployment,
    entries,
    owned,
    service,
    stored,
)


def test_apply_of_nothing_yet_creates() -> None:
    made = applied({}, deployment(replicas=2), "m1", now=NOW)
    (entry,) = entries(made)
    assert (entry["manager"], entry["operation"], entry["time"]) == ("m1", "Apply", NOW)
    assert entry["fieldsV1"]["f:spec"]["f:replicas"] == {}
    assert ".spec.strategy.type" not in owned(made, "m1")  # a default is nobody's
    key = '.spec.template.spec.containers[name="nginx"]'
    assert {key, f"{key}.image", f"{key}.name"} <= set(owned(made, "m1"))
    assert ".spec" not in owned(made, "m1")


def test_two_managers_of_different_fields() -> None:
    made = applied({}, config_map(a="1"), "m1", now=NOW)
    both = applied(made, config_map(b="2"), "m2")
    assert both["data"] == {"a": "1", "b": "2"}
    assert (owned(both, "m1"), owned(both, "m2")) == ([".data.a"], [".data.b"])


def test_a_conflict_names_manager_and_field() -> None:
    made = applied({}, config_map(a="1"), "m1", now=NOW)
    with pytest.raises(Conflict) as caught:
        applied(made, config_map(a="2"), "m2")
    status = caught.value.status()
    assert (status["code"], status["reason"]) == (409, "Conflict")
    assert status["message"] == 'Apply failed with 1 conflict: conflict with "m1": .data.a'
    assert status["details"] == {
        "causes": [
            {
                "reason": "FieldManagerConflict",
                "message": 'conflict with "m1"',
                "field": ".data.a",
            }
        ]
    }


def test_several_conflicts() -> None:
    made = applied({}, service({"port": 80, "name": "a"}), "m1", now=NOW)
    made = changed(made, {**made, "spec": {**made["spec"], "type": "NodePort"}}, "cli")
    config = service({"port": 80, "name": "b"})
    config["spec"].update(type="LoadBalancer", selector={"app": "x"})
    with pytest.raises(Conflict) as caught:
        applied(made, config, "m2")
    assert caught.value.message == (
        'Apply failed with 3 conflicts: conflicts with "cli" using v1:\n- .spec.type\n'
        'conflicts with "m1":\n- .spec.selector\n- .spec.ports[port=80,protocol="TCP"].name'
    )


def test_force_takes_the_fields() -> None:
    made = applied({}, config_map(a="1", b="1"), "m1", now=NOW)
    forced = applied(made, config_map(a="2"), "m2", force=True)
    assert forced["data"] == {"a": "2", "b": "1"}
    assert (owned(forced, "m1"), owned(forced, "m2")) == ([".data.b"], [".data.a"])


def test_the_same_value_is_shared_and_writes_no_time() -> None:
    made = applied({}, config_map(a="1"), "m1", now=NOW)
    shared = applied(made, config_map(a="1"), "m2")
    assert owned(shared, "m1") == owned(shared, "m2") == [".data.a"]
    by_name = {entry["manager"]: entry for entry in entries(shared)}
    assert "time" not in by_name["m2"]
    assert by_name["m1"]["time"] == NOW
    with pytest.raises(Conflict):
        applied(shared, config_map(a="2"), "m1")


def test_giving_up_a_field_removes_it_unless_it_is_shared() -> None:
    made = applied({}, config_map(a="1", b="1"), "m1", now=NOW)
    shared = applied(made, config_map(b="1"), "m2")
    less = applied(shared, config_map(), "m1")
    assert less["data"] == {"b": "1"}
    assert owned(less, "m2") == [".data.b"]
    assert ".data.a" not in owned(less, "m1")


def test_applying_next_to_nothing_releases_everything() -> None:
    made = applied({}, config_map(a="1"), "m1", now=NOW)
    bare = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    result = applied(made, bare, "m1")
    assert not result.get("data")
    assert entries(result) == []


def test_fields_of_updaters_are_not_removed() -> None:
    made = applied({}, config_map(a="1"), "m1", now=NOW)
    added = changed(made, {**made, "data": {"a": "1", "u": "1"}}, "cli")
    result = applied(added, config_map(), "m1")
    assert result["data"] == {"u": "1"}


def test_a_given_up_default_is_set_again() -> None:
    made = applied({}, deployment(replicas=3), "m1", now=NOW)
    result = applied(made, deployment(), "m1")
    assert result["spec"]["replicas"] == 1
    assert ".spec.replicas" not in owned(result, "m1")


def test_an_item_is_given_up_with_all_that_was_set_in_it() -> None:
    two = service({"port": 80, "name": "a"}, {"port": 443, "name": "b"})
    made = applied({}, two, "m1", now=NOW)
    result = applied(made, service({"port": 80, "name": "a"}), "m1")
    assert [port["port"] for port in result["spec"]["ports"]] == [80]


def test_an_item_others_have_fields_in_stays() -> None:
    made = applied({}, service({"port": 80, "name": "a"}), "m1", now=NOW)
    shared = applied(made, service({"port": 80, "nodePort": 30000}), "m2")
    result = applied(shared, service(), "m1")
    (port,) = result["spec"]["ports"]
    assert port["nodePort"] == 30000
    assert "name" not in port


def test_the_first_apply_records_what_is_there() -> None:
    live = stored(defaulted(config_map(a="1", b="1")))
    with pytest.raises(Conflict, match=re.escape('"before-first-apply" using v1: .data.a')):
        applied(live, config_map(a="2"), "m1")
    result = applied(live, config_map(b="1", c="2"), "m1")
    assert owned(result, "before-first-apply") == [".data", ".data.a", ".data.b"]
    assert owned(result, "m1") == [".data.b", ".data.c"]


def test_an_updater_of_the_same_name_is_another_manager() -> None:
    live = created(config_map(a="1"), "m1")
    with pytest.raises(Conflict, match=re.escape('conflict with "m1" using v1: .data.a')):
        applied(live, config_map(a="2"), "m1")


def test_nothing_changes_twice() -> None:
    made = applied({}, deployment(replicas=2), "m1", now=NOW)
    assert applied(made, deployment(replicas=2), "m1") == made


def test_a_null_is_owned() -> None:
    made = applied({}, deployment(replicas=3), "m1", now=NOW)
    result = applied(made, deployment(replicas=None), "m1")
    assert result["spec"]["replicas"] in (None, 1)
    assert ".spec.replicas" in owned(result, "m1")


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"apiVersion": "ex.io/v2", "kind": "Foo"}, "invalid object type: ex.io/v2, Kind=Foo"),
        ({"kind": "ConfigMap"}, "invalid object type: /, Kind=ConfigMap"),
        ({"apiVersion": "v1"}, "invalid object type: /v1, Kind="),
        (
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"managedFields": []}},
            "metadata.managedFields must be nil",
        ),
    ],
)
def test_configurations_that_are_refused(config: Object, text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        apply(endpoint_of(CONFIGMAPS), {}, config, Applier("m", False, NOW))
    assert caught.value.message == text


def test_a_configuration_that_does_not_fit_its_schema() -> None:
    config = config_map(a="1")
    config["spec"] = {}
    config["metadata"]["namespace"] = "x"
    with pytest.raises(ApiError) as caught:
        applied({}, config, "m1")
    status = caught.value.status()
    assert (status["code"], status.get("reason")) == (400, "BadRequest")
    assert status["message"] == (
        "failed to create typed patch object (x/c; /v1, Kind=ConfigMap): "
        ".spec: field not declared in schema"
    )


def last_applied(config: Object, **data: Any) -> Object:
    """What a client-side apply of a config map leaves, as it is stored."""
    text = orjson.dumps(config).decode()
    obj = config_map(**{**config["data"], **data})
    obj["metadata"]["annotations"] = {LAST_APPLIED: text}
    return created(obj, "kubectl-client-side-apply")


def test_kubectl_takes_over_from_its_client_side_apply() -> None:
    live = last_applied(config_map(a="1"))
    with pytest.raises(Conflict):
        applied(live, config_map(a="2"), "other")
    result = applied(live, config_map(a="2"), "kubectl")
    assert result["data"] == {"a": "2"}
    assert owned(result, "kubectl", "Apply") == [".data.a"]
    kept = orjson.loads(result["metadata"]["annotations"][LAST_APPLIED])
    assert kept == config_map(a="2")
    assert result["metadata"]["annotations"][LAST_APPLIED].endswith("\n")


def test_what_was_changed_since_is_still_a_conflict() -> None:
    live = last_applied(config_map(a="1", b="1"), b="9")
    with pytest.raises(Conflict) as caught:
        applied(live, config_map(a="2", b="2"), "kubectl")
    assert [cause["field"] for cause in caught.value.causes] == [".data.b"]


def test_an_annotation_that_grows_too_large_goes() -> None:
    live = last_applied(config_map(a="1"))
    result = applied(live, config_map(a="x" * 262_144), "kubectl")
    assert LAST_APPLIED not in result["metadata"].get("annotations", {})


def test_times_of_an_apply_that_changes_something() -> None:
    made = applied({}, config_map(a="1"), "m1", now=NOW)
    assert entries(applied(made, config_map(a="2"), "m1"))[0]["time"] == LATER
