"""Warnings reach clients as Warning headers, with what was asked for."""

import os
import subprocess
from pathlib import Path

from tests.control_plane.apiserver.objects import deployment, pod
from tests.control_plane.apiserver.test_api_resources import KUBECTL
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi

ARCH = "beta.kubernetes.io/arch"
TEXT = 'deprecated since v1.14; use "kubernetes.io/arch" instead'


def test_a_new_object_and_a_changed_one(api: RawApi, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    obj = deployment("d")
    obj["spec"]["template"]["spec"]["nodeSelector"] = {ARCH: "x"}
    warning = f"spec.template.spec.nodeSelector[{ARCH}]: {TEXT}".replace('"', '\\"')
    expected = f'299 - "{warning}"'
    assert api.post(path, obj).headers["Warning"] == expected
    unchanged = api.patch(f"{path}/d", {"metadata": {"labels": {"a": "b"}}})
    assert "Warning" not in unchanged.headers
    assert api.patch(f"{path}/d", {"spec": {"replicas": 2}}).headers["Warning"] == expected
    scaled = api.patch(f"{path}/d/scale", {"spec": {"replicas": 3}})
    assert (scaled.code, scaled.headers["Warning"]) == (200, expected)
    assert "Warning" not in api.get(f"{path}/d").headers


def test_what_is_refused_is_not_warned_of(api: RawApi, namespace: str) -> None:
    obj = pod("p")
    obj["spec"] |= {"nodeSelector": {ARCH: "x"}, "restartPolicy": "Sometimes"}
    answer = api.post(f"/api/v1/namespaces/{namespace}/pods", obj)
    assert answer.code == 422
    assert "Warning" not in answer.headers


def test_kubectl_shows_them(server: ThreadedApiServer, tmp_path: Path, namespace: str) -> None:
    command: list[str | Path] = [
        KUBECTL,
        f"--kubeconfig={server.kubeconfig}",
        f"--namespace={namespace}",
    ]
    done = subprocess.run(
        [*command, "create", "service", "clusterip", "x", "--clusterip=None", "--tcp=80",
         "--dry-run=server"],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    shown = subprocess.run(
        [*command, "get", "endpoints"], env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert shown.stderr.startswith("Warning: v1 Endpoints is deprecated in v1.33+; use discovery")
