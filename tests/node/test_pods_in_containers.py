"""Whole pods in real containers: what a person sees through the API of what the kubelet does."""

import asyncio
from typing import Any

import pytest

from control_plane.api.resources import CONFIGMAPS, EVENTS, PODS
from tests.node.builders import container, pod
from tests.node.stage import Stage, is_running, main_status

pytestmark = pytest.mark.docker
POLITE = "trap 'echo bye; exit 0' TERM; echo hello; while true; do sleep 0.1; done"


def shell(script: str, name: str = "main", **fields: Any) -> dict[str, Any]:
    return container(name, command=["sh", "-c", script], **fields)


def waiting_for(reason: str) -> Any:
    def holds(seen: dict[str, Any]) -> bool:
        state = main_status(seen).get("state") or {}
        return bool((state.get("waiting") or {}).get("reason") == reason)

    return holds


def has_phase(phase: str) -> Any:
    return lambda seen: seen["status"]["phase"] == phase


async def messages(stage: Stage, reason: str) -> list[str]:
    events = (await stage.client.list(EVENTS, "default"))["items"]
    return [event["message"] for event in events if event["reason"] == reason]


async def parts(stage: Stage, reason: str) -> list[str]:
    events = (await stage.client.list(EVENTS, "default"))["items"]
    return [e["involvedObject"]["fieldPath"] for e in events if e["reason"] == reason]


async def test_a_pod_runs_and_is_deleted_gracefully(stage: Stage) -> None:
    await stage.create(pod(shell(POLITE), terminationGracePeriodSeconds=20))
    seen = await stage.until(is_running)
    status = seen["status"]
    assert status["podIP"]
    assert status["podIPs"] == [{"ip": status["podIP"]}]
    assert status["hostIP"] == "127.0.0.1"
    assert status["startTime"]
    assert main_status(seen)["image"] == "tapir-test/busybox:1"
    assert main_status(seen)["containerID"].startswith("docker://")
    assert (await stage.logs()) == "hello\n"
    await stage.client.delete(PODS, "web", "default")
    await stage.until_gone()
    assert await parts(stage, "Started") == ["spec.containers{main}"]
    assert not (stage.config.root_dir / "pods" / seen["metadata"]["uid"]).exists()


async def test_pods_reach_each_other_by_pod_ip(stage: Stage) -> None:
    serve = "mkdir /w; echo welcome > /w/index.html; httpd -f -p 8080 -h /w"
    probe = {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 1}
    port = {"name": "http", "containerPort": 8080}
    await stage.create(pod(shell(serve, ports=[port], readinessProbe=probe), name="server"))
    server = await stage.until(is_running, "server")
    fetch = shell(f"wget -q -O - http://{server['status']['podIP']}:8080/")
    await stage.create(pod(fetch, restartPolicy="Never"))
    await stage.until(has_phase("Succeeded"))
    assert await stage.logs() == "welcome\n"


async def test_environment_and_volumes(stage: Stage) -> None:
    token = "/var/run/secrets/kubernetes.io/serviceaccount"
    script = (
        "env | sort; cat /etc/settings/greeting /etc/one; cat /etc/passwords/db; "
        f"cat {token}/namespace; test -s {token}/token && echo token; "
        "echo shared > /cache/x; mount | grep ' /cache '"
    )
    one = shell(
        script,
        env=[
            {"name": "GREETING", "value": "$(P_greeting) $(POD_NAME)"},
            {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        ],
        envFrom=[{"configMapRef": {"name": "settings"}, "prefix": "P_"}],
        volumeMounts=[
            {"name": "settings", "mountPath": "/etc/settings"},
            {"name": "settings", "mountPath": "/etc/one", "subPath": "greeting"},
            {"name": "passwords", "mountPath": "/etc/passwords"},
            {"name": "cache", "mountPath": "/cache"},
        ],
        resources={"limits": {"memory": "32Mi"}},
    )
    volumes = [
        {"name": "settings", "configMap": {"name": "settings"}},
        {"name": "passwords", "secret": {"secretName": "passwords"}},
        {"name": "cache", "emptyDir": {"medium": "Memory"}},
    ]
    await stage.create(pod(one, restartPolicy="Never", volumes=volumes))
    seen = await stage.until(has_phase("Succeeded"))
    output = await stage.logs()
    assert "GREETING=hello $(POD_NAME)" in output
    assert f"POD_IP={seen['status']['podIP']}" in output
    assert "KUBERNETES_SERVICE_HOST=" in output
    assert "hellohellohunter2defaulttoken\n" in output
    assert "tmpfs on /cache type tmpfs" in output


async def test_a_changed_config_map_reaches_a_running_container(stage: Stage) -> None:
    wait = "until grep -q changed /etc/settings/greeting; do sleep 0.1; done; echo seen"
    one = shell(wait, volumeMounts=[{"name": "v", "mountPath": "/etc/settings"}])
    volumes = [{"name": "v", "configMap": {"name": "settings"}}]
    await stage.create(pod(one, restartPolicy="Never", volumes=volumes))
    await stage.until(has_phase("Running"))
    await stage.client.patch(CONFIGMAPS, "settings", {"data": {"greeting": "changed"}}, "default")
    await stage.until(has_phase("Succeeded"))
    assert await stage.logs() == "seen\n"


async def test_init_containers_run_in_order_and_sidecars_stay(stage: Stage) -> None:
    mount = [{"name": "d", "mountPath": "/d"}]
    await stage.create(
        pod(
            shell("cat /d/log; exit 0", volumeMounts=mount),
            initContainers=[
                shell("echo first >> /d/log", "i1", volumeMounts=mount),
                shell(POLITE, "side", restartPolicy="Always"),
                shell("echo second >> /d/log", "i2", volumeMounts=mount),
            ],
            volumes=[{"name": "d", "emptyDir": {}}],
            restartPolicy="Never",
        )
    )
    seen = await stage.until(has_phase("Succeeded"))
    assert await stage.logs(container="main") == "first\nsecond\n"
    inits = {s["name"]: s for s in seen["status"]["initContainerStatuses"]}
    assert inits["i2"]["state"]["terminated"]["exitCode"] == 0


async def test_a_crashing_container_backs_off_and_shows_its_last_words(stage: Stage) -> None:
    script = "echo run; echo out of luck > /dev/termination-log; exit 3"
    await stage.create(pod(shell(script)))
    seen = await stage.until(waiting_for("CrashLoopBackOff"))
    status = main_status(seen)
    assert status["restartCount"] == 1
    assert status["state"]["waiting"]["message"].startswith("back-off 10s restarting failed")
    ended = status["lastState"]["terminated"]
    assert (ended["exitCode"], ended["message"]) == (3, "out of luck\n")
    assert await stage.logs(previous="true") == "run\n"


@pytest.mark.parametrize(
    ("fields", "reason", "message"),
    [
        (
            {"image": "127.0.0.1:1/none:1"},
            "ImagePullBackOff",
            'Back-off pulling image "127.0.0.1:1/none:1": ErrImagePull: ',
        ),
        (
            {"image": "tapir-test/none:1", "imagePullPolicy": "Never"},
            "ErrImageNeverPull",
            'Container image "tapir-test/none:1" is not present with pull policy of Never',
        ),
        (
            {"env": [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "no", "key": "k"}}}]},
            "CreateContainerConfigError",
            'configmap "no" not found',
        ),
        (
            {"command": ["/nosuch"]},
            "CrashLoopBackOff",
            "back-off 10s restarting failed container=main",
        ),
    ],
)
async def test_containers_that_cannot_start(
    stage: Stage, fields: dict[str, Any], reason: str, message: str
) -> None:
    await stage.create(pod(container(**fields)))
    status = main_status(await stage.until(waiting_for(reason)))
    assert message in status["state"]["waiting"]["message"]


async def test_a_pull_error_carries_the_engines_words_and_is_tried_again(stage: Stage) -> None:
    await stage.create(pod(container(image="127.0.0.1:1/none:1")))
    await stage.until(waiting_for("ImagePullBackOff"))
    failures = await messages(stage, "Failed")
    assert any("connection refused" in text for text in failures)
    patch = {"spec": {"containers": [{"name": "main", "image": "tapir-test/busybox:1"}]}}
    await stage.client.patch(PODS, "web", patch, "default", kind="strategic")
    await stage.until(lambda seen: "containerID" in main_status(seen))


async def test_a_missing_volume_source_delays_the_pod(stage: Stage) -> None:
    volumes = [{"name": "v", "configMap": {"name": "late"}}]
    one = shell("cat /v/k; sleep 1", volumeMounts=[{"name": "v", "mountPath": "/v"}])
    await stage.create(pod(one, volumes=volumes))
    await stage.until(waiting_for("ContainerCreating"))
    meta = {"name": "late", "namespace": "default"}
    late = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"k": "at last\n"}}
    await stage.client.create(CONFIGMAPS, late)
    await stage.until(is_running)
    assert await stage.logs(follow="true") == "at last\n"


async def test_a_failed_liveness_probe_restarts_the_container(stage: Stage) -> None:
    probe = {"exec": {"command": ["test", "-e", "/ok"]}, "periodSeconds": 1, "failureThreshold": 1}
    await stage.create(pod(shell("touch /ok; sleep 2; rm /ok; sleep 100", livenessProbe=probe)))
    seen = await stage.until(lambda p: main_status(p).get("restartCount") == 1)
    assert main_status(seen)["lastState"]["terminated"]["exitCode"] == 137


async def test_a_pod_past_its_deadline_fails(stage: Stage) -> None:
    await stage.create(pod(shell("sleep 100"), activeDeadlineSeconds=1))
    status = (await stage.until(has_phase("Failed")))["status"]
    assert status["reason"] == "DeadlineExceeded"


async def test_hooks_run_around_the_container(stage: Stage) -> None:
    hooks = {
        "postStart": {"exec": {"command": ["sh", "-c", "echo started > /d/post"]}},
        "preStop": {"exec": {"command": ["sh", "-c", "echo stopping > /proc/1/fd/1"]}},
    }
    one = shell(
        "until test -e /d/post; do sleep 0.1; done; cat /d/post; sleep 1000",
        lifecycle=hooks,
        volumeMounts=[{"name": "d", "mountPath": "/d"}],
    )
    await stage.create(pod(one, volumes=[{"name": "d", "emptyDir": {}}], restartPolicy="Never"))
    await stage.until(is_running)
    follow = asyncio.create_task(stage.logs(follow="true"))
    await stage.client.delete(PODS, "web", "default", options={"gracePeriodSeconds": 2})
    assert await follow == "started\nstopping\n"
    await stage.until_gone()
