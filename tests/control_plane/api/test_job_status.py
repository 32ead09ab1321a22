"""A job's status: what is finished stays so, and its parts agree."""

import pytest

from control_plane.api.resources import JOBS
from control_plane.api.validation import validate_update
from tests.control_plane.api.test_jobs import job
from tests.control_plane.api.valid_objects import Obj, complete, shown, update_errors


def condition(*types: str) -> list[Obj]:
    return [{"type": kind, "status": "True"} for kind in types]


DONE = {"conditions": condition("SuccessCriteriaMet", "Complete"),
        "startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:00:09Z"}  # fmt: skip
STATUSES: list[tuple[Obj, Obj, str]] = [
    (
        {**DONE, "active": 1},
        {},
        "status.active: Invalid value: 1: active>0 is invalid for finished job",
    ),
    (
        {**DONE, "completionTime": None},
        {},
        "status.completionTime: Required value: completionTime is required for Complete jobs",
    ),
    (
        {**DONE, "startTime": None},
        {},
        "status.startTime: Required value: startTime is required for finished job",
    ),
    (
        {**DONE, "completionTime": "2025-12-31T00:00:00Z"},
        {},
        'status.completionTime: Invalid value: "2025-12-31T00:00:00Z": must be equal to or after '
        "`startTime`",
    ),
    (
        {"ready": 1},
        {},
        "status.ready: Invalid value: 1: cannot set more ready pods than active",
    ),
    (
        {"failed": 1},
        {"failed": 2},
        "status.failed: Invalid value: 1: cannot decrease the failed counter",
    ),
    (
        {},
        DONE,
        "status.conditions: Invalid value: null: cannot disable the terminal Complete=True "
        "condition",
    ),
    (
        {"conditions": condition("Failed")},
        {},
        'status.conditions: Invalid value: [{"status":"True","type":"Failed"}]: cannot set '
        "Failed=True condition without the FailureTarget=true condition",
    ),
]


@pytest.mark.parametrize(("new", "old", "message"), STATUSES)
def test_a_status_that_contradicts_itself(new: Obj, old: Obj, message: str) -> None:
    stored = {**complete(JOBS, job()), "status": old}
    stored["metadata"]["resourceVersion"] = "1"
    errors = shown(validate_update(JOBS, {**stored, "status": new}, stored, subresource="status"))
    assert message in errors


def test_a_finished_status_is_valid() -> None:
    assert update_errors(JOBS, {**job(), "status": DONE}, job(), "status") == []
