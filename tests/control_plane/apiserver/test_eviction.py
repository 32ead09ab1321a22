"""pods/eviction: a pod goes unless a disruption budget counts on it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.control_plane.apiserver.objects import pod
from tests.support.raw_api import Answer, RawApi

Object = dict[str, Any]
REFUSAL = "Cannot evict pod as it would violate the pod's disruption budget."


class Place:
    """One namespace: pods in the states that matter here, and budgets with a status."""

    def __init__(self, api: RawApi, namespace: str) -> None:
        self.api = api
        self.pods = f"/api/v1/namespaces/{namespace}/pods"
        self.budgets = f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"

    def pod(self, name: str, phase: str = "Running", *, ready: bool = True) -> Object:
        made = self.api.post(self.pods, pod(name, node="n1", labels={"app": "a"}))
        assert made.code == 201, made.text
        status = {"phase": phase, "conditions": [{"type": "Ready", "status": str(ready)}]}
        answer = self.api.patch(f"{self.pods}/{name}/status", {"status": status})
        assert answer.code == 200, answer.text
        updated: Object = answer.json
        return updated

    def budget(self, name: str = "b", policy: str = "", **status: Any) -> None:
        """Make a budget and write what the disruption controller would have counted."""
        spec: Object = {"minAvailable": 1, "selector": {"matchLabels": {"app": "a"}}}
        if policy:
            spec["unhealthyPodEvictionPolicy"] = policy
        made = self.api.post(self.budgets, {"metadata": {"name": name}, "spec": spec})
        assert made.code == 201, made.text
        counts = {"currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 1}
        whole = {"disruptionsAllowed": 0, "observedGeneration": 1, **counts, **status}
        answer = self.api.patch(f"{self.budgets}/{name}/status", {"status": whole})
        assert answer.code == 200, answer.text

    def evict(self, name: str, query: str = "", version: str = "v1", **options: Any) -> Answer:
        body: Object = {
            "apiVersion": f"policy/{version}", "kind": "Eviction", "metadata": {"name": name},
        }  # fmt: skip
        if options:
            body["deleteOptions"] = options
        return self.api.post(f"{self.pods}/{name}/eviction{query}", body)

    def find(self, name: str) -> Object:
        found: Object = self.api.get(f"{self.pods}/{name}").json
        return found

    def is_going(self, name: str) -> bool:
        found = self.find(name)
        return found["kind"] == "Status" or "deletionTimestamp" in found["metadata"]

    def status(self, name: str = "b") -> Object:
        status: Object = self.api.get(f"{self.budgets}/{name}").json["status"]
        return status


@pytest.fixture
def place(api: RawApi, namespace: str) -> Place:
    return Place(api, namespace)


def _causes(answer: Answer) -> list[str]:
    causes = answer.json["details"]["causes"]
    assert {cause["reason"] for cause in causes} == {"DisruptionBudget"}
    return [cause["message"] for cause in causes]


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_pod_without_a_budget_goes_and_says_why(place: Place, version: str) -> None:
    place.pod("p")
    answer = place.evict("p", version=version)
    assert answer.code == 201, answer.text
    assert answer.json == {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201,
    }  # fmt: skip
    going = place.find("p")
    assert going["metadata"]["deletionGracePeriodSeconds"] == 30
    condition = going["status"]["conditions"][-1]
    assert condition.pop("lastTransitionTime")
    assert condition == {
        "type": "DisruptionTarget",
        "observedGeneration": 1,
        "status": "True",
        "lastProbeTime": None,
        "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting",
    }


def test_an_eviction_takes_one_disruption_from_the_budget(place: Place) -> None:
    place.pod("p")
    place.budget(disruptionsAllowed=2, currentHealthy=3)
    assert place.evict("p").code == 201
    status = place.status()
    assert status["disruptionsAllowed"] == 1
    assert list(status["disruptedPods"]) == ["p"]
    assert "conditions" not in status
    place.pod("q")
    assert place.evict("q").code == 201
    status = place.status()
    assert status["disruptionsAllowed"] == 0
    assert sorted(status["disruptedPods"]) == ["p", "q"]
    (condition,) = status["conditions"]
    assert (condition["type"], condition["status"]) == ("DisruptionAllowed", "False")
    assert condition["reason"] == "InsufficientPods"


def test_a_spent_budget_keeps_its_pods(place: Place) -> None:
    place.pod("p")
    place.budget(currentHealthy=3, desiredHealthy=3)
    answer = place.evict("p")
    assert (answer.code, answer.reason, answer.message) == (429, "TooManyRequests", REFUSAL)
    assert _causes(answer) == ["The disruption budget b needs 3 healthy pods and has 3 currently"]
    assert "retryAfterSeconds" not in answer.json["details"]
    assert "Retry-After" not in answer.headers
    assert not place.is_going("p")


def test_a_budget_that_failed_to_sync_says_so(place: Place) -> None:
    place.pod("p")
    condition = {
        "type": "DisruptionAllowed", "status": "False", "reason": "SyncFailed",
        "message": "no scale", "lastTransitionTime": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    place.budget(conditions=[condition])
    start = "The disruption budget b does not allow evicting pods currently"
    assert _causes(place.evict("p")) == [f"{start} because it failed sync: no scale"]
    condition |= {"reason": "InsufficientPods", "message": "wait"}
    place.budget("c", conditions=[condition], currentHealthy=2)
    place.api.delete(f"{place.budgets}/b")
    assert _causes(place.evict("p")) == [
        "The disruption budget c does not allow evicting pods currently (InsufficientPods): wait"
    ]


def test_a_budget_that_has_changed_asks_for_patience(place: Place) -> None:
    place.pod("p")
    place.budget(disruptionsAllowed=1)
    patched = place.api.patch(f"{place.budgets}/b", {"spec": {"minAvailable": 0}})
    assert patched.json["metadata"]["generation"] == 2
    answer = place.evict("p")
    assert (answer.code, answer.message) == (429, REFUSAL)
    assert answer.headers["Retry-After"] == "10"
    assert answer.json["details"]["retryAfterSeconds"] == 10
    assert _causes(answer) == ["The disruption budget b is still being processed by the server."]


def test_two_budgets_are_one_too_many(place: Place) -> None:
    place.pod("p")
    place.budget("a", disruptionsAllowed=1)
    place.budget("b", disruptionsAllowed=1)
    answer = place.evict("p")
    assert answer.code == 500
    assert answer.json == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "This pod has more than one PodDisruptionBudget, which the eviction "
        "subresource does not support.",
        "code": 500,
    }


def test_a_budget_of_other_pods_does_not_matter(place: Place) -> None:
    place.pod("p")
    place.budget()
    place.api.patch(f"{place.pods}/p", {"metadata": {"labels": {"app": "other"}}})
    assert place.evict("p").code == 201


@pytest.mark.parametrize("phase", ["Pending", "Succeeded", "Failed"])
def test_budgets_do_not_count_on_pods_that_do_not_run(place: Place, phase: str) -> None:
    place.pod("p", phase)
    place.budget()
    assert place.evict("p").code == 201
    assert place.is_going("p")


def test_a_pod_that_is_going_already_goes(place: Place) -> None:
    place.pod("p")
    place.budget()
    assert place.api.delete(f"{place.pods}/p").code == 200
    assert place.evict("p", gracePeriodSeconds=0).code == 201
    assert place.find("p")["code"] == 404


@pytest.mark.parametrize(
    ("policy", "current", "desired", "code"),
    [
        ("AlwaysAllow", 0, 2, 201),
        ("IfHealthyBudget", 2, 2, 201),
        ("IfHealthyBudget", 1, 2, 429),
        ("", 2, 2, 201),
        ("", 0, 0, 429),
    ],
)
def test_pods_that_are_not_ready(
    place: Place, policy: str, current: int, desired: int, code: int
) -> None:
    place.pod("p", ready=False)
    place.budget(policy=policy, currentHealthy=current, desiredHealthy=desired)
    assert place.evict("p").code == code
    assert place.is_going("p") is (code == 201)
    assert "disruptedPods" not in place.status()


@pytest.mark.parametrize("in_body", [True, False])
def test_a_dry_run_changes_nothing(place: Place, *, in_body: bool) -> None:
    place.pod("p")
    place.budget(disruptionsAllowed=1)
    before = place.find("p"), place.status()
    answer = place.evict("p", dryRun=["All"]) if in_body else place.evict("p", "?dryRun=All")
    assert answer.code == 201, answer.text
    assert (place.find("p"), place.status()) == before
    place.evict("p")
    place.pod("q")
    assert place.evict("q", "?dryRun=All").code == 429


def test_preconditions_of_the_deletion(place: Place) -> None:
    made = place.pod("p")["metadata"]
    other = place.evict("p", preconditions={"uid": "nobody"})
    assert (other.code, other.reason) == (409, "Conflict")
    assert other.message == (
        'Operation cannot be fulfilled on Pod "p": the UID in the precondition (nobody) does not '
        f"match the UID in record ({made['uid']}). The object might have been deleted and then "
        "recreated"
    )
    old = place.evict("p", preconditions={"resourceVersion": "1"})
    assert (old.code, "might have been modified" in old.message) == (409, True)
    assert not place.is_going("p")
    assert not [c for c in place.find("p")["status"]["conditions"] if c["type"] != "Ready"]
    right = {"uid": made["uid"], "resourceVersion": made["resourceVersion"]}
    assert place.evict("p", preconditions=right).code == 201
    assert place.is_going("p")


def test_evictions_that_make_no_sense(place: Place) -> None:
    place.pod("p")
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "q"}}
    other = place.api.post(f"{place.pods}/p/eviction", body)
    assert other.code == 400
    assert other.message == "name in URL does not match name in Eviction object"
    assert place.evict("none").code == 404
    assert place.evict("p", propagationPolicy="Never").code == 422
    assert place.api.post(f"{place.pods}/p/eviction", pod("p")).code == 400
    assert place.api.get(f"{place.pods}/p/eviction").code == 405


def test_many_evictions_at_once_stay_within_the_budget(place: Place) -> None:
    names = [f"p{number}" for number in range(8)]
    for name in names:
        place.pod(name)
    place.budget(disruptionsAllowed=3, currentHealthy=8, desiredHealthy=5)
    with ThreadPoolExecutor(len(names)) as pool:
        answers = list(pool.map(place.evict, names))
    assert sorted(answer.code for answer in answers) == [201] * 3 + [429] * 5
    gone = [name for name in names if place.is_going(name)]
    assert sorted(place.status()["disruptedPods"]) == gone
    assert place.status()["disruptionsAllowed"] == 0
