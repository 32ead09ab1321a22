"""The options of list and watch: every combination that is refused, in upstream's words."""

from urllib.parse import quote

import pytest

from control_plane.api.errors import ApiError
from control_plane.api.resources import CONFIGMAPS, NODES, RESOURCES, Resource, resource_named
from control_plane.apiserver.http.list_options import ListOptions, read_list_options
from control_plane.apiserver.http.query import Query

MATCH = "resourceVersionMatch: Forbidden: "
INVALID = 'ListOptions.meta.k8s.io "" is invalid: '
NOT_EXACT = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
NO_VERSION = "resourceVersionMatch is forbidden unless resourceVersion is provided"
NO_CONTINUE = "resourceVersionMatch is forbidden when continue is provided"
NEEDS_MATCH = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
NEEDS_EVENTS = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
UNSUPPORTED = 'resourceVersionMatch: Unsupported value: "Odd": supported values: '


def read(query: str, resource: Resource = CONFIGMAPS, name: str = "") -> ListOptions:
    namespace = "ns" if resource.namespaced else ""
    return read_list_options(Query(query.encode()), resource, (namespace, name))


def refused(query: str, resource: Resource = CONFIGMAPS, name: str = "") -> tuple[int, str]:
    with pytest.raises(ApiError) as error:
        read(query, resource, name)
    return error.value.code, error.value.message


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        ("resourceVersionMatch=Exact", [MATCH + NO_VERSION]),
        ("resourceVersionMatch=NotOlderThan", [MATCH + NO_VERSION]),
        ("resourceVersionMatch=Exact&resourceVersion=5&continue=x", [MATCH + NO_CONTINUE]),
        (
            "resourceVersionMatch=Odd&resourceVersion=5",
            [UNSUPPORTED + '"Exact", "NotOlderThan", ""'],
        ),
        ("resourceVersionMatch=Exact&resourceVersion=0", [MATCH + NOT_EXACT]),
        (
            "sendInitialEvents=false",
            ["sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"],
        ),
        ("watch=1&sendInitialEvents=true", [MATCH + NEEDS_MATCH]),
        (
            "watch=1&sendInitialEvents=false&resourceVersionMatch=Exact&resourceVersion=5",
            [
                MATCH + NEEDS_MATCH,
                'resourceVersionMatch: Unsupported value: "Exact": supported values: '
                '"NotOlderThan"',
            ],
        ),
        ("watch=1&resourceVersionMatch=NotOlderThan&resourceVersion=5", [MATCH + NEEDS_EVENTS]),
        (
            "watch=1&sendInitialEvents=1&resourceVersionMatch=NotOlderThan&continue=x",
            [MATCH + NO_CONTINUE],
        ),
        (
            "watch=1&resourceVersion=x",
            ['resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax'],
        ),
    ],
)
def test_options_that_do_not_go_together(query: str, errors: list[str]) -> None:
    shown = errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]"
    assert refused(query) == (422, INVALID + shown)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("resourceVersion=-1", 'strconv.ParseUint: parsing "-1": invalid syntax'),
        ("resourceVersion=99999999999999999999", "value out of range"),
        ("limit=x", 'strconv.ParseInt: parsing "x": invalid syntax'),
        ("timeoutSeconds=1.5", 'strconv.ParseInt: parsing "1.5": invalid syntax'),
        ("labelSelector=a+b", "unable to parse requirement: "),
        ("fieldSelector=a", "invalid selector: 'a'; can't understand 'a'"),
    ],
)
def test_options_that_cannot_be_read(query: str, message: str) -> None:
    code, text = refused(query)
    assert code == 400
    assert message in text


def test_a_name_in_the_url_and_another_in_the_selector() -> None:
    query = "watch=1&fieldSelector=metadata.name%3Da"
    assert read(query, name="a").selection.name == "a"
    text = "fieldSelector metadata.name doesn't match requested name"
    assert refused(query, name="b") == (400, text)


@pytest.mark.parametrize(
    ("query", "starts"),
    [
        ("watch=1", True),
        ("watch=1&resourceVersion=0", True),
        ("watch=1&resourceVersion=7", False),
        ("watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan", True),
        ("watch=1&sendInitialEvents=1&resourceVersionMatch=NotOlderThan&resourceVersion=7", True),
        ("watch=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan", False),
        (
            "watch=1&sendInitialEvents=0&resourceVersionMatch=NotOlderThan&resourceVersion=0",
            False,
        ),
    ],
)
def test_which_watches_start_with_objects(query: str, starts: bool) -> None:
    assert read(query).starts_with_objects is starts


INVOLVED = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
SELECTABLE: dict[tuple[str, str], tuple[str, ...]] = {
    ("", "pods"): (
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
        "spec.hostNetwork", "spec.host", "status.phase", "status.podIP", "status.podIPs",
        "status.nominatedNodeName",
    ),
    ("", "nodes"): ("spec.unschedulable",),
    ("", "namespaces"): ("status.phase",),
    ("", "secrets"): ("type",),
    ("", "services"): ("spec.clusterIP", "spec.type"),
    ("", "replicationcontrollers"): ("status.replicas",),
    ("apps", "replicasets"): ("status.replicas",),
    ("batch", "jobs"): ("status.successful",),
    ("", "events"): (
        *(f"involvedObject.{part}" for part in INVOLVED), "reason", "reportingComponent",
        "source", "type",
    ),
    ("events.k8s.io", "events"): (
        *(f"regarding.{part}" for part in INVOLVED), "reason", "reportingController", "type",
    ),
    ("certificates.k8s.io", "certificatesigningrequests"): ("spec.signerName",),
    ("resource.k8s.io", "resourceslices"): ("spec.nodeName", "spec.driver"),
}  # fmt: skip
STORED = [row for row in RESOURCES if row.is_stored]


@pytest.mark.parametrize("resource", STORED, ids=lambda row: f"{row.plural}.{row.api_version}")
def test_field_selectors(resource: Resource) -> None:
    extra = SELECTABLE.get((resource.group, resource.plural), ())
    scope = ("metadata.namespace",) if resource.namespaced else ()
    for field in ("metadata.name", *scope, *extra):
        assert read(f"fieldSelector={quote(field)}%3Dx", resource).selection.is_filtered
    expected = (
        "field label not supported: spec.other"
        if extra
        else '"spec.other" is not a known field selector: only "metadata.name", '
        '"metadata.namespace"'
    )
    assert refused("fieldSelector=spec.other%3Dx", resource) == (400, expected)


def test_every_selectable_resource_is_served() -> None:
    not_yet = {("resource.k8s.io", "resourceslices")}
    served = {(row.group, row.plural) for row in STORED}
    assert SELECTABLE.keys() - served <= not_yet


def test_cluster_scoped_objects_have_no_namespace() -> None:
    assert refused("fieldSelector=metadata.namespace%3Dx", NODES)[1] == (
        "field label not supported: metadata.namespace"
    )
    classes = resource_named("scheduling.k8s.io", "v1", "priorityclasses")
    assert classes is not None
    selection = read("fieldSelector=metadata.namespace%3Dx", classes).selection
    assert selection.fields is not None
    assert not selection.fields.matches({"metadata.name": "a"})
