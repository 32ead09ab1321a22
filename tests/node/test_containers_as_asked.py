"""What a container finds itself in: user, file system, capabilities, limits, name, shared
namespaces.
"""

from typing import Any

import aiohttp
import pytest

from control_plane.api.resources import PODS
from tests.node.builders import container, pod
from tests.node.stage import Stage, is_running, main_status
from tests.support.ports import free_port

pytestmark = pytest.mark.docker


async def output_of(stage: Stage, script: str, *, name: str = "web", **fields: Any) -> str:
    """Run `script` in a pod to its end; `spec` are the pod's fields, others the container's."""
    spec = fields.pop("spec", {})
    one = container(command=["sh", "-c", script], **fields)
    await stage.create(pod(one, name=name, restartPolicy="Never", **spec))
    await stage.until(lambda p: p["status"]["phase"] in ("Succeeded", "Failed"), name)
    return await stage.logs(name)


async def test_users_and_privileges(stage: Stage) -> None:
    script = "exec 2>&1; id -u; id -g; id -G; echo x > /file; grep NoNew /proc/self/status"
    context = {
        "runAsUser": 1001,
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    pod_wide = {"securityContext": {"runAsGroup": 2002, "supplementalGroups": [3003]}}
    output = await output_of(stage, script, securityContext=context, spec=pod_wide)
    assert output.startswith("1001\n2002\n2002 3003\n")
    assert "can't create /file: Read-only file system" in output
    assert "NoNewPrivs:\t1" in output


async def test_limits_reach_the_cgroup(stage: Stage) -> None:
    script = (
        "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max 2>/dev/null || "
        "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.cfs_quota_us"
    )
    limits = {"limits": {"cpu": "500m", "memory": "64Mi"}}
    lines = (await output_of(stage, script, resources=limits)).splitlines()
    assert lines[0] == str(64 * 1024**2)
    assert lines[1].split()[0] == "50000"


async def test_out_of_memory_is_named(stage: Stage) -> None:
    hog = "tail -n 1 /dev/zero"
    limits = {"limits": {"memory": "16Mi"}}
    await output_of(stage, hog, resources=limits)
    ended = main_status(await stage.pod())["state"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


async def test_names(stage: Stage) -> None:
    spec = {
        "hostname": "db-0",
        "subdomain": "db",
        "hostAliases": [{"ip": "123.45.67.89", "hostnames": ["foo", "bar"]}],
        "dnsPolicy": "None",
        "dnsConfig": {"nameservers": ["1.1.1.1"], "searches": ["resolv.conf.local"]},
    }
    output = await output_of(stage, "hostname; cat /etc/hosts /etc/resolv.conf", spec=spec)
    address = (await stage.pod())["status"]["podIP"]
    assert output.startswith("db-0\n# Kubernetes-managed hosts file.\n")
    assert f"{address}\tdb-0.db.default.svc.cluster.local\tdb-0\n" in output
    assert "123.45.67.89\tfoo\tbar\n" in output
    assert output.endswith("nameserver 1.1.1.1\nsearch resolv.conf.local\n")


async def test_a_shared_process_namespace(stage: Stage) -> None:
    output = await output_of(stage, "cat /proc/1/comm", spec={"shareProcessNamespace": True})
    assert output == "pause\n"


async def test_containers_of_a_pod_share_their_network(stage: Stage) -> None:
    serve = "mkdir /w; echo shared > /w/index.html; httpd -f -p 8080 -h /w"
    side = container("side", command=["sh", "-c", serve], restartPolicy="Always")
    wait = "until wget -q -O - http://127.0.0.1:8080/; do sleep 0.1; done"
    await stage.create(
        pod(
            container(command=["sh", "-c", wait]),
            initContainers=[side],
            restartPolicy="Never",
        )
    )
    await stage.until(lambda p: p["status"]["phase"] == "Succeeded")
    assert (await stage.logs(container="main")).endswith("shared\n")


async def test_a_host_port_leads_to_the_container(stage: Stage) -> None:
    port = free_port()
    serve = "mkdir /w; echo from the host > /w/index.html; httpd -f -p 8080 -h /w"
    ports = [{"containerPort": 8080, "hostPort": port, "hostIP": "127.0.0.1"}]
    probe = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    one = container(command=["sh", "-c", serve], ports=ports, readinessProbe=probe)
    await stage.create(pod(one))
    await stage.until(is_running)
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/") as response,
    ):
        assert await response.text() == "from the host\n"


async def test_http_hooks(stage: Stage) -> None:
    serve = "mkdir /w; touch /w/hook; httpd -f -v -p 8080 -h /w"
    listen = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    server = container(command=["sh", "-c", f"{serve} 2>&1"], readinessProbe=listen)
    await stage.create(pod(server, name="server"))
    address = (await stage.until(is_running, "server"))["status"]["podIP"]
    hook = {"httpGet": {"host": address, "path": "/hook", "port": 8080}}
    one = container(command=["sleep", "1000"], lifecycle={"postStart": hook, "preStop": hook})
    await stage.create(pod(one))
    await stage.until(is_running)
    await stage.client.delete(PODS, "web", "default")
    await stage.until_gone()
    assert (await stage.logs("server")).count("response:200") == 2


async def test_sigkill_after_the_grace_and_a_grace_that_shrinks(stage: Stage) -> None:
    deaf = container(command=["sh", "-c", "trap '' TERM; while true; do sleep 0.1; done"])
    await stage.create(pod(deaf, terminationGracePeriodSeconds=1000))
    await stage.until(is_running)
    await stage.client.delete(PODS, "web", "default")
    await stage.until(lambda p: p["metadata"].get("deletionTimestamp"))
    await stage.client.delete(PODS, "web", "default", options={"gracePeriodSeconds": 1})
    await stage.until_gone()
