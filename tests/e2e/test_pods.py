"""What runs in a pod: configuration, volumes, probes, restarts, logs, commands."""

from pathlib import Path

from tests.e2e.pods import container, pod
from tests.support.cluster import Cluster

WAIT = "--timeout=120s"


def ready(cluster: Cluster, namespace: str, name: str) -> None:
    cluster.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "-n", namespace, WAIT)


def ended(cluster: Cluster, namespace: str, name: str, phase: str = "Succeeded") -> None:
    cluster.kubectl(
        *("wait", f"--for=jsonpath={{.status.phase}}={phase}", f"pod/{name}", "-n", namespace, WAIT)
    )


def test_configuration_reaches_a_container_as_environment_and_files(
    cluster: Cluster, namespace: str, image: str
) -> None:
    cluster.kubectl(
        "create", "configmap", "settings", "--from-literal=colour=blue", "-n", namespace
    )
    cluster.kubectl(
        "create", "secret", "generic", "keys", "--from-literal=token=s3cret", "-n", namespace
    )
    show = "echo $COLOUR $NAME; cat /config/colour /secret/token; echo; id -u; cat /scratch/hello"
    init = container(image, name="prepare", command=["sh", "-c", "echo hi > /scratch/hello"])
    mounts = [
        {"name": "config", "mountPath": "/config"},
        {"name": "secret", "mountPath": "/secret", "readOnly": True},
        {"name": "scratch", "mountPath": "/scratch"},
    ]
    main = container(
        image,
        command=["sh", "-c", show],
        volumeMounts=mounts,
        securityContext={"runAsUser": 1000},
        env=[
            {
                "name": "COLOUR",
                "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "colour"}},
            },
            {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
    )
    cluster.apply(
        pod(
            "reader",
            main,
            initContainers=[{**init, "volumeMounts": mounts[2:]}],
            restartPolicy="Never",
            volumes=[
                {"name": "config", "configMap": {"name": "settings"}},
                {"name": "secret", "secret": {"secretName": "keys"}},
                {"name": "scratch", "emptyDir": {}},
            ],
        ),
        namespace=namespace,
    )

    ended(cluster, namespace, "reader")

    logs = cluster.kubectl("logs", "reader", "-n", namespace)
    assert logs.split() == ["blue", "reader", "blues3cret", "1000", "hi"]


def test_a_service_account_token_is_mounted_and_known_to_the_api_server(
    cluster: Cluster, namespace: str, image: str
) -> None:
    cluster.apply(pod("holder", container(image)), namespace=namespace)
    ready(cluster, namespace, "holder")

    directory = "/var/run/secrets/kubernetes.io/serviceaccount"
    files = cluster.kubectl("exec", "holder", "-n", namespace, "--", "ls", directory)
    token = cluster.kubectl("exec", "holder", "-n", namespace, "--", "cat", f"{directory}/token")
    refused = cluster.run_kubectl(
        *("get", "secrets", "-n", namespace, "--token", token, "--client-certificate=/dev/null"),
        *("--client-key=/dev/null",),
    )

    assert files.split() == ["ca.crt", "namespace", "token"]
    assert token.count(".") == 2
    assert refused.returncode != 0


def test_exec_passes_input_output_and_exit_codes(
    cluster: Cluster, namespace: str, image: str
) -> None:
    cluster.apply(pod("shell", container(image)), namespace=namespace)
    ready(cluster, namespace, "shell")

    listed = cluster.kubectl("exec", "shell", "-n", namespace, "--", "ls", "/")
    echoed = cluster.kubectl("exec", "-i", "shell", "-n", namespace, "--", "cat", stdin="a\nb\n")
    failed = cluster.run_kubectl(
        "exec", "shell", "-n", namespace, "--", "sh", "-c", "echo oops >&2; exit 7"
    )

    assert "bin" in listed.split()
    assert echoed == "a\nb\n"
    assert failed.returncode == 7
    assert "oops" in failed.stderr


def test_logs_can_be_followed_cut_and_read_from_the_previous_container(
    cluster: Cluster, namespace: str, image: str
) -> None:
    script = "for i in 1 2 3; do echo line $i; done; sleep 1; exit 3"
    cluster.apply(
        pod("talker", container(image, command=["sh", "-c", script])), namespace=namespace
    )
    ready(cluster, namespace, "talker")

    followed = cluster.kubectl("logs", "-f", "talker", "-n", namespace)
    cluster.kubectl(
        *("wait", "--for=jsonpath={.status.containerStatuses[0].restartCount}=1"),
        *("pod/talker", "-n", namespace, WAIT),
    )
    previous = cluster.kubectl("logs", "--previous", "--tail=1", "talker", "-n", namespace)

    assert followed.splitlines() == ["line 1", "line 2", "line 3"]
    assert previous == "line 3\n"


def test_a_failing_container_is_restarted_with_back_off(
    cluster: Cluster, namespace: str, image: str
) -> None:
    cluster.apply(pod("broken", container(image, command=["false"])), namespace=namespace)

    reason = "{.status.containerStatuses[0].state.waiting.reason}"
    cluster.kubectl(
        "wait", f"--for=jsonpath={reason}=CrashLoopBackOff", "pod/broken", "-n", namespace, WAIT
    )


def test_an_image_that_cannot_be_had_is_reported_with_the_engines_words(
    cluster: Cluster, namespace: str
) -> None:
    cluster.apply(pod("absent", container("registry.invalid/none:1")), namespace=namespace)
    reason = "{.status.containerStatuses[0].state.waiting.reason}"

    cluster.kubectl(
        "wait", f"--for=jsonpath={reason}=ImagePullBackOff", "pod/absent", "-n", namespace, WAIT
    )

    events = cluster.get("events", "-n", namespace)["items"]
    failed = [event["message"] for event in events if event["reason"] == "Failed"]
    assert any("registry.invalid" in message for message in failed)


def test_readiness_follows_the_probe(cluster: Cluster, namespace: str, image: str) -> None:
    probe = {"exec": {"command": ["test", "-e", "/tmp/ready"]}, "periodSeconds": 1}
    cluster.apply(pod("probed", container(image, readinessProbe=probe)), namespace=namespace)
    cluster.kubectl(
        "wait", "--for=jsonpath={.status.phase}=Running", "pod/probed", "-n", namespace, WAIT
    )
    before = cluster.get("pod", "probed", "-n", namespace)["status"]["containerStatuses"][0][
        "ready"
    ]

    cluster.kubectl("exec", "probed", "-n", namespace, "--", "touch", "/tmp/ready")
    ready(cluster, namespace, "probed")

    assert before is False


def test_a_failed_liveness_probe_restarts_the_container(
    cluster: Cluster, namespace: str, image: str
) -> None:
    probe = {"exec": {"command": ["test", "!", "-e", "/tmp/sick"]}, "periodSeconds": 1}
    patience = {"failureThreshold": 1, "timeoutSeconds": 30}  # a busy machine is not sick
    cluster.apply(
        pod(
            "patient",
            container(image, livenessProbe={**probe, **patience}),
            terminationGracePeriodSeconds=1,
        ),
        namespace=namespace,
    )
    ready(cluster, namespace, "patient")

    # The container may end before this command has told of its own end.
    cluster.run_kubectl("exec", "patient", "-n", namespace, "--", "touch", "/tmp/sick")

    cluster.kubectl(
        *("wait", "--for=jsonpath={.status.containerStatuses[0].restartCount}=1"),
        *("pod/patient", "-n", namespace, WAIT),
    )


def test_a_deleted_pod_gets_its_grace_period(
    cluster: Cluster, namespace: str, image: str, tmp_path: Path
) -> None:
    slow = "trap 'sleep 2; echo finished > /out/end; exit 0' TERM; while :; do sleep 0.1; done"
    cluster.apply(
        pod(
            "slow",
            container(
                image,
                command=["sh", "-c", slow],
                volumeMounts=[{"name": "out", "mountPath": "/out"}],
            ),
            terminationGracePeriodSeconds=20,
            volumes=[{"name": "out", "hostPath": {"path": str(tmp_path), "type": "Directory"}}],
        ),
        namespace=namespace,
    )
    ready(cluster, namespace, "slow")

    cluster.kubectl("delete", "pod", "slow", "-n", namespace, WAIT)

    assert (tmp_path / "end").read_text() == "finished\n"


def test_pods_reach_each_other_by_pod_ip(cluster: Cluster, namespace: str, image: str) -> None:
    serve = "mkdir /www; echo hello > /www/index.html; exec httpd -f -p 8080 -h /www"
    cluster.apply(
        pod("server", container(image, command=["sh", "-c", serve])),
        pod("caller", container(image)),
        namespace=namespace,
    )
    ready(cluster, namespace, "server")
    ready(cluster, namespace, "caller")
    address = cluster.get("pod", "server", "-n", namespace)["status"]["podIP"]

    page = cluster.kubectl(
        "exec", "caller", "-n", namespace, "--", "wget", "-qO-", f"http://{address}:8080/"
    )

    assert page == "hello\n"
