"""What admission costs: pods made with every built-in plugin and without any, decisions, rules.

Two API servers share a store; they make pods in turn, in a namespace of its own for each server and
each kind of place: one with nothing in it, one with a ResourceQuota and a LimitRange. Decisions of
RBAC and rules of policies are timed in this process, as the servers ask for them.
"""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import Any

from control_plane.api.policies.compiled import compiled
from control_plane.api.policies.evaluation import evaluate
from control_plane.apiserver.admission_configuration.plugin_names import BY_DEFAULT
from control_plane.apiserver.auth.rbac.authorizer import RbacAuthorizer
from control_plane.apiserver.auth.rbac.bindings import Bindings, binding_of
from control_plane.apiserver.auth.rbac.permissions import role_of
from control_plane.apiserver.auth.rules import Attributes
from control_plane.apiserver.auth.user import User
from tests.bench.api.client import run
from tests.bench.api.measure import IN_FLIGHT, NAMESPACES, Say, Stage, namespace, staged
from tests.bench.api.servers import HttpsServer, api_server

BINDINGS, USERS = 1_000, 50
RULES = (
    "object.spec.containers.all(c, c.image.startsWith('registry.example/'))",
    "object.metadata.name.matches('^[a-z0-9-]+$')",
    "has(object.spec.securityContext) && object.spec.securityContext.runAsNonRoot",
    "object.spec.containers.all(c, has(c.resources) && 'cpu' in c.resources.requests)",
    "!has(object.spec.hostNetwork) || request.userInfo.username.startsWith('system:')",
)
PLACES = ("plain", "limited")
TURNS, WARM_UP_SECONDS = 4, 0.3
QUOTA = {"pods": "10000000", "requests.cpu": "10000000", "requests.memory": "10000000Gi"}


def measure(runs: int, seconds: float, say: Say) -> dict[str, Any]:
    """Return all figures by name."""
    with staged("admission") as stage, _servers(stage) as servers:
        made = _made(servers, runs, seconds, say)
    figures = {"made": made, "decision_us": _decision_us(runs), "rule_us": _rule_us(runs)}
    say(f"decision {figures['decision_us']:.1f} us, rule {figures['rule_us']:.1f} us")
    return figures


@contextmanager
def _servers(stage: Stage) -> Iterator[dict[str, HttpsServer]]:
    store, directory = stage.store.process.endpoint, stage.directory
    without = f"--disable-admission-plugins={','.join(sorted(BY_DEFAULT))}"
    found = {"with": api_server(store, directory), "without": api_server(store, directory, without)}
    with ExitStack() as stack:
        for server in found.values():
            server.start()
            stack.callback(server.end)
        yield found


def _made(
    servers: dict[str, HttpsServer], runs: int, seconds: float, say: Say
) -> dict[str, dict[str, dict[str, float]]]:
    """Pods made one at a time and many at once, by place and server.

    The servers take turns of a fraction of `seconds`: a machine whose speed changes does so for
    both.
    """
    reports: dict[tuple[str, str], tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {}
    paths = {
        (place, name): _prepared(server, f"{place}-{name}", is_limited=place == "limited")
        for place, (name, server) in itertools.product(PLACES, servers.items())
    }
    flags: dict[str, Any] = {"seconds": seconds / TURNS, "warm_up": WARM_UP_SECONDS}
    for number, place in itertools.product(range(runs * TURNS), PLACES):
        for (name, server), many in itertools.product(servers.items(), (False, True)):
            prefix = f"run-{number}-{many:d}"
            in_flight = IN_FLIGHT if many else 1
            path = paths[place, name]
            report = run(server, "create", path, in_flight=in_flight, name_prefix=prefix, **flags)
            reports.setdefault((place, name), ([], []))[many].append(report)
    found: dict[str, dict[str, dict[str, float]]] = {}
    for (place, name), (alone, together) in reports.items():
        figures = found.setdefault(place, {})[name] = _figures(alone, together)
        say(f"{place} {name}: " + "  ".join(f"{k} {v:,.2f}" for k, v in figures.items()))
    return found


def _figures(alone: list[dict[str, Any]], together: list[dict[str, Any]]) -> dict[str, float]:
    return {
        "p50_ms": median(report["p50_ms"] for report in alone),
        "cpu_us": _cpu_us(alone),
        "per_second": median(report["per_second"] for report in together),
        "cpu_us_together": _cpu_us(together),
    }


def _cpu_us(reports: list[dict[str, Any]]) -> float:
    """CPU of the server for each pod, in all turns: one is short beside a tick of its clock."""
    used = sum(report["server_cpu_seconds"] for report in reports)
    return float(used / max(1, sum(report["ops"] for report in reports)) * 1e6)


def _prepared(server: HttpsServer, name: str, *, is_limited: bool) -> str:
    pods = namespace(server, name)
    if not is_limited:
        return pods
    path = f"{NAMESPACES}/{name}"
    requests = {"cpu": "1m", "memory": "1Mi"}
    limit = {"type": "Container", "defaultRequest": requests, "max": {"cpu": "10"}}
    limit["default"] = {"cpu": "100m", "memory": "1Gi"}
    _send(server, f"{path}/limitranges", {"spec": {"limits": [limit]}})
    _send(server, f"{path}/resourcequotas", {"spec": {"hard": QUOTA}})
    status = {"hard": QUOTA, "used": dict.fromkeys(QUOTA, "0")}
    found = json.loads(server.read(f"{path}/resourcequotas/it"))
    _send(server, f"{path}/resourcequotas/it/status", {**found, "status": status}, "PUT")
    time.sleep(1.0)  # the other caches of the server have it, too
    return pods


def _send(server: HttpsServer, path: str, body: dict[str, Any], method: str = "POST") -> None:
    server.post(path, json.dumps({"metadata": {"name": "it"}, **body}).encode(), method)


def _decision_us(runs: int) -> float:
    """One decision about one of USERS, who have BINDINGS bindings among them."""
    bindings = Bindings()
    rules = [{"apiGroups": ["", "apps"], "resources": ["pods", "deployments"], "verbs": ["get"]}]
    for number in range(BINDINGS):
        place = f"ns-{number % 20}"
        role, name = f"role-{number % 100}", f"binding-{number}"
        bindings.set_role((place, role), role_of({"rules": rules}))
        reference = {"kind": "Role", "name": role}
        subjects = [{"kind": "User", "name": f"user-{number % USERS}"}]
        obj = {"metadata": {"name": name}, "roleRef": reference, "subjects": subjects}
        bindings.set_binding((place, name), binding_of(obj, place))
    authorizer = RbacAuthorizer(bindings)
    users = [User(f"user-{n}", ("system:authenticated", "devs")) for n in range(USERS)]
    asked = [
        Attributes(verb, "", "apps", "deployments", "", f"ns-{n}", "d")
        for verb in ("get", "delete")
        for n in range(20)
    ]
    questions = list(itertools.product(users, asked))
    return _us_each(
        lambda: [authorizer.decide(user, one) for user, one in questions], len(questions), runs
    )


def _rule_us(runs: int) -> float:
    """One rule of a policy, on a pod."""
    checks = [{"expression": rule} for rule in RULES]
    policy = compiled({"metadata": {"name": "p"}, "spec": {"validations": checks}})
    container = {
        "name": "c",
        "image": "registry.example/a:1",
        "resources": {"requests": {"cpu": "1"}},
    }
    spec = {"containers": [container] * 3, "securityContext": {"runAsNonRoot": True}}
    request = {"operation": "CREATE", "userInfo": {"username": "system:admin"}}
    bindings = {"object": {"metadata": {"name": "p"}, "spec": spec}, "request": request}
    assert not evaluate(policy, bindings).denials
    return _us_each(lambda: evaluate(policy, bindings), len(RULES), runs)


def _us_each(work: Callable[[], object], count: int, runs: int) -> float:
    """The best of `runs` tenths of a second."""
    work()
    best = float("inf")
    for _ in range(max(3, runs)):
        done, began = 0, time.perf_counter()
        while time.perf_counter() - began < 0.1:
            work()
            done += count
        best = min(best, (time.perf_counter() - began) / done)
    return best * 1e6
