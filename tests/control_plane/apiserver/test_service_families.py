"""IP families of services: how policy, families and addresses complete each other."""

import copy
from typing import Any

import pytest

from control_plane.apiserver.allocation.families import complete_families, stays_as_it_is

V4, V6, BOTH, BOTH6 = ("IPv4",), ("IPv6",), ("IPv4", "IPv6"), ("IPv6", "IPv4")
HEADLESS = {"clusterIP": "None", "clusterIPs": ["None"]}
DUAL = {
    "ipFamilyPolicy": "RequireDualStack",
    "ipFamilies": ["IPv4", "IPv6"],
    "clusterIP": "10.0.0.1",
    "clusterIPs": ["10.0.0.1", "fd00::1"],
}


def _spec(**fields: Any) -> dict[str, Any]:
    return {"type": "ClusterIP", "selector": {"a": "b"}, **copy.deepcopy(fields)}


@pytest.mark.parametrize(
    ("given", "cluster", "families", "policy"),
    [
        ({}, V4, ["IPv4"], "SingleStack"),
        ({}, BOTH6, ["IPv6"], "SingleStack"),
        ({**HEADLESS, "selector": {}}, V4, ["IPv4", "IPv6"], "RequireDualStack"),
        ({**HEADLESS, "selector": {}}, V6, ["IPv6", "IPv4"], "RequireDualStack"),
        (HEADLESS, V4, ["IPv4"], "SingleStack"),
        (HEADLESS, BOTH, ["IPv4"], "SingleStack"),
        ({"ipFamilyPolicy": "PreferDualStack"}, V4, ["IPv4"], "PreferDualStack"),
        ({"ipFamilyPolicy": "PreferDualStack"}, BOTH, ["IPv4", "IPv6"], "PreferDualStack"),
        ({"ipFamilyPolicy": "RequireDualStack"}, BOTH6, ["IPv6", "IPv4"], "RequireDualStack"),
        ({"ipFamilies": ["IPv6"]}, BOTH, ["IPv6"], "SingleStack"),
        (
            {"ipFamilyPolicy": "PreferDualStack", "ipFamilies": ["IPv6"]},
            BOTH,
            ["IPv6", "IPv4"],
            "PreferDualStack",
        ),
        ({"clusterIP": "fd00::9", "clusterIPs": ["fd00::9"]}, BOTH, ["IPv6"], "SingleStack"),
    ],
)
def test_families_of_a_new_service(
    given: dict[str, Any], cluster: tuple[str, ...], families: list[str], policy: str
) -> None:
    spec = _spec(**given)
    assert complete_families(spec, None, cluster) == []
    assert (spec["ipFamilies"], spec["ipFamilyPolicy"]) == (families, policy)


@pytest.mark.parametrize(
    ("given", "cluster", "text"),
    [
        (
            {"ipFamilyPolicy": "RequireDualStack"},
            V4,
            'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": '
            "this cluster is not configured for dual-stack services",
        ),
        (
            {"ipFamilies": ["IPv6"]},
            V4,
            'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
        ),
        (
            {"clusterIP": "fd00::9", "clusterIPs": ["fd00::9"]},
            V4,
            'spec.clusterIPs[0]: Invalid value: ["fd00::9"]: '
            "IPv6 is not configured on this cluster",
        ),
        (
            {"ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv4", "IPv6"]},
            BOTH,
            "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or "
            "'PreferDualStack' when multiple IP families are specified",
        ),
        (
            {"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1", "fd00::1"]},
            BOTH,
            "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or "
            "'PreferDualStack' when multiple cluster IPs are specified",
        ),
    ],
)
def test_families_that_cannot_be_had(
    given: dict[str, Any], cluster: tuple[str, ...], text: str
) -> None:
    errors = complete_families(_spec(**given), None, cluster)
    assert text in [str(error) for error in errors]


def test_single_stack_lets_the_second_family_go() -> None:
    new, old = _spec(**{**DUAL, "ipFamilyPolicy": "SingleStack"}), _spec(**DUAL)
    assert complete_families(new, old, BOTH) == []
    assert (new["clusterIPs"], new["ipFamilies"]) == (["10.0.0.1"], ["IPv4"])


@pytest.mark.parametrize(
    ("field", "value", "what"),
    [
        ("clusterIPs", ["10.0.0.1"], "secondary cluster IP"),
        ("ipFamilies", ["IPv4"], "secondary IP family"),
    ],
)
def test_only_single_stack_does(field: str, value: list[str], what: str) -> None:
    (error,) = complete_families(_spec(**{**DUAL, field: value}), _spec(**DUAL), BOTH)
    assert error.detail == f"must be 'SingleStack' to release the {what}"


def test_a_service_that_prefers_two_families_waits_for_its_owner() -> None:
    """A cluster that becomes dual stack changes nothing by itself."""
    old = _spec(ipFamilyPolicy="PreferDualStack", ipFamilies=["IPv4"], clusterIPs=["10.0.0.1"])
    assert stays_as_it_is(copy.deepcopy(old), old)
    assert not stays_as_it_is({**old, "ipFamilyPolicy": "RequireDualStack"}, old)
    assert not stays_as_it_is({**old, "type": "NodePort"}, old)
