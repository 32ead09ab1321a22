"""/health, /livez and /readyz."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.contract.http.web import Answer, Web

READY = {"non_learner", "data_corruption", "serializable_read", "linearizable_read"}
HEALTHY = '{"health":"true","reason":""}'


@contextmanager
def alarm(web: Web, name: str) -> Iterator[None]:
    raised = {"memberID": "5", "alarm": name}
    web.call("maintenance/alarm", {"action": "ACTIVATE", **raised})
    try:
        yield
    finally:
        web.call("maintenance/alarm", {"action": "DEACTIVATE", **raised})


def checks(answer: Answer) -> set[str]:
    return set(answer.text.strip().splitlines())


def test_healthy(web: Web) -> None:
    for query in ("", "?serializable=true", "?serializable=bogus", "?exclude=NOSPACE&exclude=x"):
        answer = web.get(f"/health{query}")
        assert (answer.status, answer.text) == (200, HEALTHY)
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    "path", ["/livez", "/readyz", *(f"/readyz/{check}" for check in sorted(READY))]
)
def test_ok(web: Web, path: str) -> None:
    answer = web.get(path)

    assert (answer.status, answer.text) == (200, "ok\n")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_verbose(web: Web) -> None:
    live, ready = web.get("/livez?verbose"), web.get("/readyz?verbose=0&exclude=non_learner")
    one = web.get("/readyz/data_corruption?verbose")

    assert live.text == "[+]serializable_read ok\nok\n"
    assert checks(ready) == {f"[+]{name} ok" for name in READY - {"non_learner"}} | {"ok"}
    assert one.text == "[+]data_corruption ok\nok\n"


def test_excluded(web: Web) -> None:
    answer = web.get("/livez?exclude=serializable_read&exclude=bogus&verbose")

    assert answer.text == "ok\n"


@pytest.mark.parametrize(
    "path",
    ["/livez/linearizable_read", "/readyz/bogus", "/readyz/", "/readyz/non_learner/", "/health/"],
)
def test_no_such_check(web: Web, path: str) -> None:
    assert web.get(path).status == 404


def test_alarms(web: Web, metrics_web: Web) -> None:
    with alarm(web, "CORRUPT"):
        corrupt, excluded = web.get("/health"), web.get("/health?exclude=CORRUPT")
        ready, one = web.get("/readyz"), web.get("/readyz/data_corruption")
        without = web.get("/readyz?exclude=data_corruption")
        live = web.get("/livez")
    with alarm(web, "NOSPACE"):
        full = metrics_web.get("/health")
        both = web.get("/health?exclude=NOSPACE,CORRUPT")
        kubeadm = web.get("/health?exclude=NOSPACE&serializable=true")
        ready_when_full = web.get("/readyz")

    failed = "[-]data_corruption failed: alarm activated: CORRUPT"
    passed = {f"[+]{name} ok" for name in READY - {"data_corruption"}}
    assert (corrupt.status, corrupt.json) == (503, {"health": "false", "reason": "ALARM CORRUPT"})
    assert corrupt.text.endswith("}\n")
    assert corrupt.headers["content-type"] == "text/plain; charset=utf-8"
    assert excluded.text == HEALTHY
    assert (ready.status, checks(ready)) == (503, passed | {failed})
    assert ready.text.endswith("\n\n")
    assert (one.status, one.text) == (503, f"{failed}\n\n")
    assert live.status == without.status == ready_when_full.status == 200
    assert (full.status, full.json["reason"]) == (503, "ALARM NOSPACE")
    assert both.status == 503
    assert kubeadm.text == HEALTHY
