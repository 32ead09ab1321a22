"""Who owns what after writes that are no apply."""

from control_plane.api.apply import endpoint_of, track
from control_plane.api.apply.shapes import shape_for
from control_plane.api.objects import Object, deep_copy
from control_plane.api.resources import PODS
from tests.control_plane.api.apply_objects import (
    LATER,
    NOW,
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


def test_a_creator_owns_what_it_sent_and_its_defaults() -> None:
    (entry,) = entries(created(deployment(replicas=3), "kubectl-create"))
    labels: Object = {"f:labels": {".": {}, "f:app": {}}}
    port: Object = {".": {}, "f:containerPort": {}, "f:protocol": {}}
    container = {
        ".": {},
        "f:image": {},
        "f:imagePullPolicy": {},
        "f:name": {},
        "f:ports": {".": {}, 'k:{"containerPort":80,"protocol":"TCP"}': port},
        "f:resources": {},
        "f:terminationMessagePath": {},
        "f:terminationMessagePolicy": {},
    }
    assert entry == {
        "manager": "kubectl-create",
        "operation": "Update",
        "apiVersion": "apps/v1",
        "time": NOW,
        "fieldsType": "FieldsV1",
        "fieldsV1": {
            "f:metadata": labels,
            "f:spec": {
                "f:progressDeadlineSeconds": {},
                "f:replicas": {},
                "f:revisionHistoryLimit": {},
                "f:selector": {},
                "f:strategy": {
                    "f:rollingUpdate": {".": {}, "f:maxSurge": {}, "f:maxUnavailable": {}},
                    "f:type": {},
                },
                "f:template": {
                    "f:metadata": labels,
                    "f:spec": {
                        "f:containers": {'k:{"name":"nginx"}': container},
                        "f:dnsPolicy": {},
                        "f:restartPolicy": {},
                        "f:schedulerName": {},
                        "f:securityContext": {},
                        "f:terminationGracePeriodSeconds": {},
                    },
                },
            },
        },
    }
    assert list(entry)[:4] == ["manager", "operation", "apiVersion", "time"]


def test_a_service_and_a_config_map() -> None:
    made = created(service({"port": 80}))
    assert entries(made)[0]["fieldsV1"] == {
        "f:spec": {
            "f:internalTrafficPolicy": {},
            "f:ports": {
                ".": {},
                'k:{"port":80,"protocol":"TCP"}': {
                    ".": {}, "f:port": {}, "f:protocol": {}, "f:targetPort": {},
                },
            },
            "f:selector": {},
            "f:sessionAffinity": {},
            "f:type": {},
        }
    }  # fmt: skip
    made = created(config_map(a="1"))
    assert entries(made)[0]["fieldsV1"] == {"f:data": {".": {}, "f:a": {}}}
    assert entries(created({**config_map(), "data": {}})) == []  # nothing to own


def test_a_status_is_owned_through_its_endpoint() -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
           "spec": {"containers": [{"name": "c", "image": "i"}]}}  # fmt: skip
    live = created({**pod, "status": {"phase": "Pending"}})
    assert not any(path.startswith(".status") for path in owned(live, "creator"))
    new = deep_copy(live)
    new["spec"]["nodeName"] = "ignored"
    new["status"] = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    after = changed(live, new, "kubelet", sub="status")
    (_, entry) = entries(after)
    assert entry["subresource"] == "status"
    assert entry["fieldsV1"] == {
        "f:status": {
            "f:conditions": {
                ".": {},
                'k:{"type":"Ready"}': {
                    ".": {},
                    "f:lastProbeTime": {},
                    "f:lastTransitionTime": {},
                    "f:status": {},
                    "f:type": {},
                },
            },
            "f:phase": {},
        }
    }


def test_a_writer_takes_what_it_changes() -> None:
    live = created(config_map(a="1", b="1"), "first")
    after = changed(live, config_map(a="1", b="2", c="3"), "second")
    assert owned(after, "first") == [".data", ".data.a"]
    assert owned(after, "second") == [".data.b", ".data.c"]
    assert [entry["time"] for entry in entries(after)] == [NOW, LATER]


def test_removed_fields_are_nobodys() -> None:
    live = created(config_map(a="1", b="1"), "first")
    after = changed(live, config_map(a="1"), "second")
    assert owned(after, "first") == [".data", ".data.a"]
    assert owned(after, "second") == []
    gone = changed(after, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}, "x")
    assert entries(gone) == []


def test_a_write_that_changes_nothing_keeps_entries_and_times() -> None:
    live = created(config_map(a="1"), "first")
    assert entries(changed(live, config_map(a="1"), "second")) == entries(live)
    again = deep_copy(live)
    again["metadata"]["managedFields"] = None
    assert entries(changed(live, again, "first")) == entries(live)


def test_what_a_client_says_of_managers() -> None:
    live = created(config_map(a="1"), "first")
    (entry,) = entries(live)

    def sent(value: object, sub: str = "") -> list[Object]:
        new = deep_copy(live)
        new["metadata"]["managedFields"] = value
        return entries(changed(live, new, "second", sub=sub))

    assert sent([]) == []
    assert sent([{}]) == []
    assert sent([{**entry, "manager": "renamed"}])[0]["manager"] == "renamed"
    assert sent([{**entry, "operation": "Foo"}]) == [entry]
    assert sent([{**entry, "fieldsV1": {"x": {}}}]) == [entry]
    assert sent([], "status") == [entry]


def test_an_object_without_managers_stays_without() -> None:
    live = stored(defaulted(config_map(a="1")))
    assert entries(changed(live, config_map(a="2"), "second")) == []


def test_managers_of_unknown_versions_are_forgotten() -> None:
    live = created(config_map(a="1"), "first")
    live["metadata"]["managedFields"][0]["apiVersion"] = "ex.io/v1"
    assert owned(changed(live, config_map(a="1", b="2"), "second"), "first") == []


def test_an_empty_name_is_unknown() -> None:
    obj = config_map(a="1")
    assert track(endpoint_of(PODS), {}, defaulted(deployment()), "", NOW)
    assert entries(created(obj, ""))[0]["manager"] == "unknown"


def test_sets_follow_the_schema() -> None:
    live = created(deployment(), "first")
    live["metadata"]["managedFields"][0]["fieldsV1"] = {
        "f:metadata": {"f:labels": {}},
        "f:spec": {"f:selector": {"f:matchLabels": {"f:app": {}}}},
    }
    new = deep_copy(live)
    new["metadata"]["managedFields"] = None
    new["spec"]["paused"] = True
    after = changed(live, new, "second")
    assert owned(after, "first") == [".metadata.labels", ".spec.selector"]


def test_items_that_are_there_twice_are_owned_whole() -> None:
    twins = service({"port": 80, "name": "a"}, {"port": 80, "name": "b"})
    live = created(twins, "first")
    key = '.spec.ports[port=80,protocol="TCP"]'
    assert [path for path in owned(live, "first") if path.startswith(key)] == [key]
    after = changed(live, defaulted(service({"port": 80, "name": "a"})), "second")
    assert key + ".name" in owned(after, "second")


def test_every_kind_has_a_shape() -> None:
    assert shape_for("v1", "Pod").fields["spec"]
    crd = shape_for("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    assert crd.fields["spec"]  # whose schemas contain themselves
