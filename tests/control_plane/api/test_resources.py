"""The resource table: paths, storage keys, lookups, and rows added at run time."""

import pytest

from control_plane.api import resources
from control_plane.api.resources import BUILT_IN, RESOURCES, Resource
from control_plane.api.schema import schema
from control_plane.api.tables import TABLES

WIDGETS = Resource("example.com", "v1", "Widget", "widgets", True, storage="example.com/widgets")


@pytest.mark.parametrize(
    ("row", "prefix"),
    [
        (resources.PODS, "/registry/pods/"),
        (resources.NODES, "/registry/minions/"),
        (resources.SERVICES, "/registry/services/specs/"),
        (resources.ENDPOINTS, "/registry/services/endpoints/"),
        (resources.REPLICATIONCONTROLLERS, "/registry/controllers/"),
        (resources.DEPLOYMENTS, "/registry/deployments/"),
        (resources.ENDPOINTSLICES, "/registry/endpointslices/"),
        (WIDGETS, "/registry/example.com/widgets/"),
    ],
)
def test_objects_lie_under_upstreams_keys(row: Resource, prefix: str) -> None:
    assert row.storage_prefix == prefix


def test_a_type_that_is_not_stored_has_no_key() -> None:
    review = Resource("authorization.k8s.io", "v1", "Review", "reviews", False, storage="")
    assert not review.is_stored
    with pytest.raises(ValueError, match=r"reviews.authorization.k8s.io is not stored"):
        _ = review.storage_prefix


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (resources.PODS.path("a", "b", "log"), "/api/v1/namespaces/a/pods/b/log"),
        (resources.PODS.path(), "/api/v1/pods"),
        (resources.NODES.path(None, "n"), "/api/v1/nodes/n"),
        (resources.NODES.path("ignored", "n", "status"), "/api/v1/nodes/n/status"),
        (resources.DEPLOYMENTS.path("a"), "/apis/apps/v1/namespaces/a/deployments"),
    ],
)
def test_paths(path: str, expected: str) -> None:
    assert path == expected


def test_every_row_is_found_has_a_definition_and_a_table() -> None:
    for row in RESOURCES:
        assert resources.resource_named(row.group, row.version, row.plural) is row
        assert resources.resource_for(row.api_version, row.kind) is row
        assert schema().definition_for(row.api_version, row.kind), row
        if "list" in row.verbs:
            assert schema().definition_for(row.api_version, row.list_kind_name), row
            assert (row.group, row.plural) in TABLES, row


def test_unknown_resources_are_none() -> None:
    assert resources.resource_named("", "v1", "podz") is None
    assert resources.resource_for("apps/v1beta1", "Deployment") is None


def test_rows_are_added_without_changing_the_old_set() -> None:
    served = BUILT_IN.extended(WIDGETS)
    assert served.named("example.com", "v1", "widgets") is WIDGETS
    assert BUILT_IN.named("example.com", "v1", "widgets") is None
    renewed = Resource("example.com", "v1", "Widget", "widgets", False)
    assert served.extended(renewed).of_kind("example.com/v1", "Widget") is renewed


def test_two_rows_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="share a name or a kind"):
        resources.ResourceSet((resources.PODS, resources.PODS))
