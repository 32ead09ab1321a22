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
        "status.conditions: Invalid value: cannot disable the terminal Complete=True condition",
    ),
    (
        {"conditions": condition("Failed")},
        {},
        "status.conditions: Invalid value: cannot set Failed=True condition without the "
        "FailureTarget=true condition",
    ),
    (
        {"uncountedTerminatedPods": {"succeeded": ["a", ""], "failed": ["a"]}},
        {},
        'status.uncountedTerminatedPods.failed[0]: Duplicate value: "a"',
    ),
    (
        {**DONE, "uncountedTerminatedPods": {"failed": ["a"]}},
        {},
        'status.uncountedTerminatedPods: Invalid value: {"Succeeded":null,"Failed":["a"]}: must be '
        "empty for finished job",
    ),
    (
        {"completedIndexes": "0"},
        {},
        'status.completedIndexes: Invalid value: "0": cannot set non-empty completedIndexes when '
        "non-indexed completion mode",
    ),
    (
        {"completedIndexes": "1-2-3"},
        {},
        'status.completedIndexes: Invalid value: "1-2-3": error parsing completedIndexes: the '
        'fragment "1-2-3" violates the requirement that an index interval can have at most two '
        "parts separated by '-'",
    ),
    (
        {"failedIndexes": ""},
        {},
        'status.failedIndexes: Invalid value: "": cannot set non-null failedIndexes when '
        "backoffLimitPerIndex is null",
    ),
    (
        {"conditions": condition("SuccessCriteriaMet", "FailureTarget")},
        {},
        "status.conditions: Invalid value: cannot set SuccessCriteriaMet=True and "
        "FailureTarget=true conditions",
    ),
    (
        {},
        {"conditions": condition("FailureTarget")},
        "status.conditions: Invalid value: cannot disable the terminal FailureTarget=True "
        "condition",
    ),
    (
        {**DONE, "completionTime": "2026-01-01T00:00:10Z"},
        DONE,
        'status.completionTime: Invalid value: "2026-01-01T00:00:10Z": field is immutable',
    ),
    (
        {"startTime": "2026-01-01T00:00:01Z"},
        {"startTime": "2026-01-01T00:00:00Z"},
        "status.startTime: Required value: startTime cannot be removed for unsuspended job",
    ),
    (
        {"conditions": condition("SuccessCriteriaMet", "Complete")},
        {"conditions": condition("Complete")},
        "status.conditions: Invalid value: cannot set SuccessCriteriaMet=True for Job already has "
        "Complete=true conditions",
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


def test_what_a_job_that_was_only_called_complete_lacks() -> None:
    finished = {**job(), "status": {"conditions": condition("Complete")}}
    assert update_errors(JOBS, finished, job(), "status") == [
        "status.completionTime: Required value: completionTime is required for Complete jobs",
        "status.conditions: Invalid value: cannot set Complete=True condition without the "
        "SuccessCriteriaMet=true condition",
        "status.startTime: Required value: startTime is required for finished job",
    ]


def test_an_index_does_not_fail_and_complete() -> None:
    spec = {"completionMode": "Indexed", "completions": 9, "backoffLimitPerIndex": 1}
    status = {"completedIndexes": "0,3-5", "failedIndexes": "1-2,5-6"}
    stored = job(**spec)
    assert update_errors(JOBS, {**stored, "status": status}, stored, "status") == [
        'status.failedIndexes: Invalid value: "1-2,5-6": failedIndexes and completedIndexes '
        "overlap at index: 5"
    ]
    apart = {**status, "failedIndexes": "1-2,6"}
    assert update_errors(JOBS, {**stored, "status": apart}, stored, "status") == []
