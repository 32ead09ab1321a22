"""/livez, /readyz and /healthz as upstream prints them, and /version."""

import asyncio
from typing import Any, cast

import pytest

from control_plane.apiserver.health_checks import health_endpoints
from control_plane.apiserver.http.health import Check, Health
from control_plane.apiserver.http.request import Request
from tests.control_plane.apiserver.conftest import raw_api
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi

pytestmark = pytest.mark.every_store

CHECKS = {
    "livez": {"ping", "log", "etcd", "poststarthook/bootstrap-controller",
              "poststarthook/generic-apiserver-start-informers", "autoregister-completion",
              "poststarthook/start-apiextensions-controllers", "poststarthook/crd-informer-synced",
              "poststarthook/apiservice-registration-controller"},
    "readyz": {"ping", "log", "etcd", "etcd-readiness", "informer-sync", "shutdown",
               "poststarthook/scheduling/bootstrap-system-priority-classes"},
    "healthz": {"ping", "log", "etcd", "poststarthook/start-system-namespaces-controller"},
}  # fmt: skip


@pytest.mark.parametrize("endpoint", CHECKS)
def test_named_checks(api: RawApi, endpoint: str) -> None:
    plain = api.get(f"/{endpoint}", "*/*")
    assert (plain.code, plain.text) == (200, "ok")
    assert plain.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert plain.headers["X-Content-Type-Options"] == "nosniff"
    *lines, last = api.get(f"/{endpoint}?verbose").text.splitlines()
    assert last == f"{endpoint} check passed"
    names = {line.removeprefix("[+]").removesuffix(" ok") for line in lines}
    assert names >= CHECKS[endpoint]
    for name in names:
        one = api.get(f"/{endpoint}/{name}")
        assert (one.code, one.text) == (200, "ok"), name
    assert api.get(f"/{endpoint}/none").code == 404


def test_a_check_is_left_out(api: RawApi) -> None:
    text = api.get("/readyz?verbose&exclude=etcd&exclude=x&exclude=y").text
    assert "[+]etcd excluded: ok\n" in text
    assert 'warn: some health checks cannot be excluded: no matches for "x","y"\n' in text


def test_anybody_may_ask_whether_the_server_is_well(server: ThreadedApiServer) -> None:
    with raw_api(server, "") as nobody:
        assert [nobody.get(f"/{endpoint}").code for endpoint in CHECKS] == [200, 200, 200]


async def test_a_failure_is_named_without_its_reason() -> None:
    health = Health("livez", {"good": _check(""), "bad": _check("it burns")})
    answer: Any = await health.all_checks(_request("/livez"))
    assert answer.status == 500
    assert answer.body.decode() == (
        "[+]good ok\n[-]bad failed: reason withheld\nlivez check failed\n"
    )
    one: Any = await health.one_check(_request("/livez/bad"))
    assert (one.status, one.body) == (500, b"internal server error: it burns\n")
    without: Any = await health.all_checks(_request("/livez", b"exclude=bad"))
    assert (without.status, without.body) == (200, b"ok")
    assert health.results["bad"] == (0, 2, True)


def test_results_of_checks_are_metrics(api: RawApi) -> None:
    api.get("/livez")
    text = api.get("/metrics/slis", "*/*").text
    assert 'kubernetes_healthcheck{name="etcd",type="livez"} 1.0' in text
    assert 'kubernetes_healthchecks_total{name="etcd",status="success",type="livez"}' in text


async def test_a_stopping_server_is_not_ready() -> None:
    stopping, nothing = asyncio.Event(), cast("Any", ())
    *_, readyz = health_endpoints(nothing, "/registry", nothing, {}, stopping)
    request = _request("/readyz/shutdown")
    assert cast("Any", await readyz.one_check(request)).body == b"ok"
    stopping.set()
    answer: Any = await readyz.one_check(request)
    assert answer.body == b"internal server error: process is shutting down\n"


def test_version_is_complete(api: RawApi) -> None:
    found = api.get("/version").json
    assert list(found) == [
        "major", "minor", "emulationMajor", "emulationMinor", "minCompatibilityMajor",
        "minCompatibilityMinor", "gitVersion", "gitCommit", "gitTreeState", "buildDate",
        "goVersion", "compiler", "platform",
    ]  # fmt: skip
    assert (found["major"], found["minor"], found["gitVersion"][:5]) == ("1", "35", "v1.35")
    assert found["platform"].startswith("linux/")
    assert (found["emulationMinor"], found["minCompatibilityMinor"]) == ("35", "34")
    assert api.get("/version/").json == found


def _check(problem: str) -> Check:
    async def check() -> str:
        await asyncio.sleep(0)
        return problem

    return check


def _request(path: str, query: bytes = b"") -> Request:
    async def receive() -> Any:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "path": path, "raw_path": path.encode(), "query_string": query}
    return Request({**scope, "headers": ()}, receive)
