"""LimitRanges: defaults and what does not fit, in upstream's words."""

from typing import Any

import pytest

from control_plane.api.limit_ranges import (
    LimitRange,
    claim_violations,
    pod_violations,
    set_defaults,
)
from control_plane.api.tolerations import merged

Object = dict[str, Any]


def limits(**item: Any) -> LimitRange:
    return LimitRange.of({"spec": {"limits": [{"type": "Container", **item}]}})


def pod(requests: Object | None = None, limits: Object | None = None, **spec: Any) -> Object:
    resources = {"requests": requests or {}, "limits": limits or {}}
    return {"metadata": {}, "spec": {"containers": [{"name": "c", "resources": resources}], **spec}}


def test_defaults_fill_what_is_missing_and_are_noted() -> None:
    limit_range = limits(
        default={"cpu": "500m", "memory": "1Gi"}, defaultRequest={"cpu": "100m", "memory": "1Gi"}
    )
    obj = pod({"cpu": "300m"}, initContainers=[{"name": "i"}])
    set_defaults(limit_range, obj)
    assert obj["spec"]["containers"][0]["resources"] == {
        "requests": {"cpu": "300m", "memory": "1Gi"},
        "limits": {"cpu": "500m", "memory": "1Gi"},
    }
    assert obj["metadata"]["annotations"] == {
        "kubernetes.io/limit-ranger": (
            "LimitRanger plugin set: memory request for container c; "
            "cpu, memory limit for container c; cpu, memory request for init container i; "
            "cpu, memory limit for init container i"
        )
    }


def test_a_pod_that_lacks_nothing_is_left_alone() -> None:
    obj = pod({"cpu": "1"}, {"cpu": "1"})
    set_defaults(limits(default={"cpu": "2"}, defaultRequest={"cpu": "2"}), obj)
    assert obj == pod({"cpu": "1"}, {"cpu": "1"})


@pytest.mark.parametrize(
    ("item", "obj", "expected"),
    [
        ({"min": {"cpu": "50m"}}, pod(),
         "minimum cpu usage per Container is 50m.  No request is specified"),
        ({"min": {"cpu": "50m"}}, pod({"cpu": "40m"}),
         "minimum cpu usage per Container is 50m, but request is 40m"),
        ({"min": {"cpu": "50m"}}, pod({"cpu": "1"}, {"cpu": "10m"}),
         "minimum cpu usage per Container is 50m, but limit is 10m"),
        ({"max": {"memory": "1Gi"}}, pod({"memory": "2Gi"}),
         "maximum memory usage per Container is 1Gi.  No limit is specified"),
        ({"max": {"memory": "1Gi"}}, pod({"memory": "1Gi"}, {"memory": "2Gi"}),
         "maximum memory usage per Container is 1Gi, but limit is 2Gi"),
        ({"max": {"memory": "1Gi"}}, pod({"memory": "2Gi"}, {"memory": "1Gi"}),
         "maximum memory usage per Container is 1Gi, but request is 2Gi"),
        ({"maxLimitRequestRatio": {"cpu": "2"}}, pod({"cpu": "1"}),
         "cpu max limit to request ratio per Container is 2, but no limit is specified or limit "
         "is 0"),
        ({"maxLimitRequestRatio": {"cpu": "2"}}, pod({}, {"cpu": "1"}),
         "cpu max limit to request ratio per Container is 2, but no request is specified or "
         "request is 0"),
        ({"maxLimitRequestRatio": {"cpu": "2"}}, pod({"cpu": "1"}, {"cpu": "3500m"}),
         "cpu max limit to request ratio per Container is 2, but provided ratio is 3.500000"),
        ({"type": "Pod", "max": {"cpu": "1"}},
         pod({}, {"cpu": "600m"}, initContainers=[
             {"name": "s", "restartPolicy": "Always", "resources": {"limits": {"cpu": "600m"}}}]),
         "maximum cpu usage per Pod is 1, but limit is 1200m"),
        ({"type": "Pod", "max": {"cpu": "1"}}, pod({}, {"cpu": "5"}, resources={
             "limits": {"cpu": "2"}}),
         "maximum cpu usage per Pod is 1, but limit is 2"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(item: Object, obj: Object, expected: str) -> None:
    assert pod_violations(limits(**item), obj) == [expected]


def test_what_fits_is_fine() -> None:
    limit_range = limits(
        min={"cpu": "50m"}, max={"cpu": "1"}, maxLimitRequestRatio={"cpu": "2"}, type="Container"
    )
    assert pod_violations(limit_range, pod({"cpu": "500m"}, {"cpu": "1"})) == []


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ("5Gi", []),
        (
            "1Gi",
            ["minimum storage usage per PersistentVolumeClaim is 2Gi, but request is 1Gi"],
        ),
        (
            "20Gi",
            ["maximum storage usage per PersistentVolumeClaim is 10Gi, but request is 20Gi"],
        ),
    ],
)
def test_claims_have_limits_too(request_: str, expected: list[str]) -> None:
    item = {"min": {"storage": "2Gi"}, "max": {"storage": "10Gi"}}
    limit_range = limits(**item, type="PersistentVolumeClaim")
    claim = {"spec": {"resources": {"requests": {"storage": request_}}}}
    assert claim_violations(limit_range, claim) == expected


def test_merged_tolerations_keep_only_the_widest() -> None:
    narrow = {"key": "a", "operator": "Equal", "value": "x", "effect": "NoSchedule"}
    wide = {"key": "a", "operator": "Exists"}
    short = {"key": "b", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}
    long = {**short, "tolerationSeconds": 9}
    assert merged([narrow, short], [wide, long]) == [wide, long]
    assert merged([narrow], [{**narrow}]) == [narrow]
    assert merged([], [narrow, short]) == [narrow, short]
