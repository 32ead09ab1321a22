"""API servers as processes, which can be killed, over one store, and the balancer's ports."""

import os
import subprocess
import sys
from pathlib import Path

from control_plane.pki.cluster import ClusterPki
from tests.support.datastore import REPOSITORY
from tests.support.ports import free_port

STOP_SECONDS = 20.0


class Process:
    """One API server; `kill` and `start` again serve the same port."""

    def __init__(self, store: str, pki: ClusterPki, log: Path) -> None:
        self.port = free_port()
        self._log = log
        own, authority = pki.pair("apiserver"), pki.pair("ca").certificate
        self._argv = [
            *(sys.executable, "-m", "tapir", "apiserver"),
            f"--etcd-servers={store}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.port}",
            f"--client-ca-file={authority}",
            f"--tls-cert-file={own.certificate}",
            f"--tls-private-key-file={own.key}",
            f"--service-account-key-file={pki.service_account_public_key}",
            f"--service-account-signing-key-file={pki.service_account_key}",
            "--log-level=warn",
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; readiness is asked over HTTP."""
        path = f"{REPOSITORY}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._argv,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": path},
            )

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(STOP_SECONDS)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL if that is not enough."""
        if self._process is None or not self.running:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
