"""Who owns the replicas of a workload, seen through its scale."""

from typing import Any

from control_plane.api.apply import parent_entries, scale_entries

REPLICAS: dict[str, Any] = {"f:spec": {"f:replicas": {}}}
TIME = "2026-01-02T03:04:05Z"


def entry(manager: str, operation: str, version: str = "apps/v1", **more: Any) -> dict[str, Any]:
    made = {"manager": manager, "operation": operation, "apiVersion": version, "time": TIME,
            "fieldsType": "FieldsV1", "fieldsV1": REPLICAS, **more}  # fmt: skip
    return {key: value for key, value in made.items() if value}


OWNER = entry("m1", "Apply", fieldsV1={"f:spec": {"f:paused": {}, "f:replicas": {}}})
BYSTANDER = entry("m2", "Update", fieldsV1={"f:spec": {"f:paused": {}}})
SCALER = entry("hpa", "Update", "autoscaling/v1", subresource="scale")


def test_a_scale_shows_the_owners_of_the_replicas() -> None:
    assert scale_entries([OWNER, BYSTANDER]) == [entry("m1", "Apply", "autoscaling/v1")]
    assert scale_entries(None) == []


def test_who_scales_takes_the_replicas() -> None:
    after = parent_entries([OWNER, BYSTANDER], [SCALER], "apps/v1")
    assert after == [
        entry("m1", "Apply", fieldsV1={"f:spec": {"f:paused": {}}}),
        entry("hpa", "Update", subresource="scale", time=""),
        BYSTANDER,
    ]


def test_an_owner_of_nothing_else_goes() -> None:
    assert parent_entries([entry("m1", "Apply")], [SCALER], "apps/v1") == [
        entry("hpa", "Update", subresource="scale", time="")
    ]


def test_nothing_scaled_changes_nothing() -> None:
    found = [OWNER, entry("cli", "Update")]
    assert parent_entries(found, scale_entries(found), "apps/v1") == found
