"""A cluster on which cert-manager's parts are started and stopped."""

import json
import subprocess
from pathlib import Path
from typing import Any, Self

from tests.clients.cert_manager.module import CertManager
from tests.support.cluster import Cluster
from tests.support.ports import free_port
from tests.support.wait import wait_until

NAMESPACE = "cert-manager"
ACCOUNTS = {
    "controller": "cert-manager",
    "webhook": "cert-manager-webhook",
    "cainjector": "cert-manager-cainjector",
}
SECONDS_TO_STOP = 60
DAY = "24h"


class Stage:
    """The running parts by name, each under its own service account; `__exit__` ends them."""

    def __init__(self, cluster: Cluster, cert_manager: CertManager, logs: Path) -> None:
        self.cluster = cluster
        self.cert_manager = cert_manager
        self.webhook_port = free_port()
        self._logs = logs
        self._parts: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        for old in self._logs.glob("*.log"):
            old.unlink()
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._parts):
            self.stop(name)
        (self._logs / "tapir.log").write_text("".join(self.cluster.output))

    def start(self, name: str) -> None:
        """Start a part; it need not be ready yet."""
        more = [str(self.webhook_port)] if name == "webhook" else []
        kubeconfig = self.kubeconfig_of(ACCOUNTS[name], NAMESPACE)
        with (self._logs / f"{name}.log").open("ab") as log:
            self._parts[name] = subprocess.Popen(
                [str(self.cert_manager.program), name, str(kubeconfig), *more],
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def stop(self, name: str) -> None:
        """End a part, politely at first."""
        part = self._parts.pop(name)
        part.terminate()
        try:
            part.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            part.kill()
            part.wait()

    def kubeconfig_of(self, account: str, namespace: str) -> Path:
        """A new kubeconfig file with a token of a service account."""
        token = self.kubectl("create", "token", account, "-n", namespace, f"--duration={DAY}")
        config = json.loads(self.kubectl("config", "view", "--raw", "-o", "json"))
        config["users"][0]["user"] = {"token": token.strip()}
        path = self.cluster.data_dir.parent / f"{namespace}-{account}.kubeconfig"
        path.write_text(json.dumps(config))
        return path

    def kubectl(self, *words: str, stdin: str = "") -> str:
        """What kubectl printed; it must succeed."""
        return self.cluster.kubectl(*words, stdin=stdin)

    def refusal(self, *words: str, stdin: str = "") -> str:
        """What kubectl complained of; it must fail."""
        done = self.cluster.run_kubectl(*words, stdin=stdin)
        assert done.returncode != 0, f"kubectl {' '.join(words)} succeeded: {done.stdout}"
        return done.stderr

    def apply(self, obj: dict[str, Any]) -> str:
        """Apply an object as clients do, and return what kubectl printed."""
        return self.kubectl("apply", "-f", "-", stdin=json.dumps(obj))

    def get(self, *words: str) -> Any:
        """The JSON of an object or a list."""
        return self.cluster.get(*words)

    def absent(self, *words: str) -> bool:
        """Whether `kubectl get` finds no object of this kind, or none of this name."""
        return self.kubectl("get", *words, "-o", "name", "--ignore-not-found") == ""

    def until_ready(self, *words: str) -> Any:
        """The JSON of an object, once its condition Ready is True."""
        wait_until(lambda: has(self.get(*words), "Ready"), f"{' '.join(words)} to be ready")
        return self.get(*words)


def has(obj: dict[str, Any], condition: str) -> bool:
    """Whether a condition of an object is True."""
    conditions = obj.get("status", {}).get("conditions", [])
    return any(row["type"] == condition and row["status"] == "True" for row in conditions)
