"""Errors carry upstream's codes, reasons, messages and details, and survive the wire."""

import pytest

from control_plane.api import errors
from control_plane.api.errors import ApiError
from control_plane.api.resources import DEPLOYMENTS, PODS

NAMED = {"name": "web", "group": "apps", "kind": "deployments"}

CASES = [
    (errors.NotFound.of(PODS, "p"), 404, "NotFound", 'pods "p" not found',
     {"name": "p", "kind": "pods"}),
    (errors.NotFound.of(DEPLOYMENTS, "web"), 404, "NotFound",
     'deployments.apps "web" not found', NAMED),
    (errors.AlreadyExists.of(DEPLOYMENTS, "web"), 409, "AlreadyExists",
     'deployments.apps "web" already exists', NAMED),
    (errors.AlreadyExists.no_unique_name(DEPLOYMENTS, "web"), 409, "AlreadyExists",
     'deployments.apps "web" already exists, the server was not able to generate a unique name '
     "for the object", {**NAMED, "retryAfterSeconds": 1}),
    (errors.Conflict.modified(DEPLOYMENTS, "web"), 409, "Conflict",
     'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; '
     "please apply your changes to the latest version and try again", NAMED),
    (errors.Forbidden.of(PODS, "p", "no"), 403, "Forbidden", 'pods "p" is forbidden: no',
     {"name": "p", "kind": "pods"}),
    (errors.Forbidden.of(PODS, "", "no"), 403, "Forbidden", "pods is forbidden: no",
     {"kind": "pods"}),
    (errors.Forbidden.of(None, "", "no"), 403, "Forbidden", "forbidden: no", {}),
    (errors.Unauthorized(), 401, "Unauthorized", "Unauthorized", {}),
    (errors.MethodNotAllowed.of(PODS, "watch"), 405, "MethodNotAllowed",
     'watch is not supported on resources of kind "pods"', {"kind": "pods"}),
    (errors.NotAcceptable.of(["a/b", "c/d"]), 406, "NotAcceptable",
     "only the following media types are accepted: a/b, c/d", {}),
    (errors.UnsupportedMediaType.of(["a/b"]), 415, "UnsupportedMediaType",
     "the body of the request was in an unknown format - accepted media types include: a/b", {}),
    (errors.RequestEntityTooLarge.of("limit is 3145728"), 413, "RequestEntityTooLarge",
     "Request entity too large: limit is 3145728", {}),
    (errors.TooManyRequests("slow down", retry_after_seconds=2), 429, "TooManyRequests",
     "slow down", {"retryAfterSeconds": 2}),
    (errors.Timeout.of("it took too long"), 504, "Timeout", "Timeout: it took too long", {}),
    (errors.Timeout.too_large_resource_version(9, 5), 504, "Timeout",
     "Timeout: Too large resource version: 9, current: 5",
     {"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
      "retryAfterSeconds": 1}),
    (errors.ServerTimeout.of(PODS, "create", 1), 500, "ServerTimeout",
     "The create operation against pods could not be completed at this time, please try again.",
     {"name": "create", "kind": "pods", "retryAfterSeconds": 1}),
    (errors.InternalError.of("boom"), 500, "InternalError", "Internal error occurred: boom",
     {"causes": [{"message": "boom"}]}),
    (errors.Expired("too old"), 410, "Expired", "too old", {}),
    (ApiError("raw"), 500, "", "raw", {}),
]  # fmt: skip


@pytest.mark.parametrize(("error", "code", "reason", "message", "details"), CASES)
def test_status(
    error: ApiError, code: int, reason: str, message: str, details: dict[str, object]
) -> None:
    status = error.status()
    assert (status["code"], status.get("reason", "")) == (code, reason)
    assert (status["message"], status.get("details", {})) == (message, details)
    assert status["kind"] == "Status"
    assert status["status"] == "Failure"


@pytest.mark.parametrize("error", [case[0] for case in CASES])
def test_a_client_gets_back_what_the_server_raised(error: ApiError) -> None:
    rebuilt = errors.from_status(error.status())
    assert rebuilt.status() == error.status()
    if error.reason:
        assert type(rebuilt) is type(error)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"code": 409, "message": "m"}, errors.Conflict),
        ({"code": 410, "reason": "Gone"}, errors.Gone),
        ({"code": 404, "reason": "SomethingNew"}, errors.NotFound),
        ({"code": 418}, ApiError),
        ({}, errors.InternalError),
    ],
)
def test_statuses_of_other_servers(status: dict[str, object], expected: type[ApiError]) -> None:
    assert type(errors.from_status(status)) is expected


def test_retry_after_is_read_from_the_details() -> None:
    assert errors.TooManyRequests("m", retry_after_seconds=3).retry_after_seconds == 3
    assert errors.NotFound.of(PODS, "p").retry_after_seconds == 0
