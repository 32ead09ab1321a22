"""A whole cluster: `tapir up` as a person starts it, and kubectl to talk to it."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Self

from tests.support.ports import free_port

BIN = Path(sys.executable).parent
SECONDS_TO_READY = 120.0
SECONDS_TO_STOP = 90.0


class Cluster:
    """One `tapir up` on `data_dir`; `store` are the flags that choose its store.

    `start` may be called again after `stop` or `kill`: same data, same ports. The process leads a
    process group of its own, as a terminal would make it.
    """

    def __init__(self, data_dir: Path, store: list[str], *, runtime: str = "docker") -> None:
        self.data_dir = data_dir
        self.secure_port, self.kubelet_port = free_port(), free_port()
        self.node_name = f"node-{self.secure_port}"
        self.ready_line = ""
        self._flags = [
            f"--data-dir={data_dir}",
            f"--secure-port={self.secure_port}",
            f"--kubelet-port={self.kubelet_port}",
            f"--node-name={self.node_name}",
            f"--container-runtime={runtime}",
            *store,
        ]
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._lines: queue.Queue[str | None] = queue.Queue()
        self.output: list[str] = []

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the cluster and return when it has said that it is ready."""
        self._lines = queue.Queue()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tapir", "up", *self._flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,))
        self._reader.start()
        deadline = time.monotonic() + SECONDS_TO_READY
        while True:
            line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            if line is None:
                self._end(signal.SIGKILL)
                raise AssertionError(f"tapir up ended: {''.join(self.output)}")
            if "KUBECONFIG=" in line:
                self.ready_line = line
                return

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self.output.append(line)
                self._lines.put(line)
        self._lines.put(None)

    def stop(self) -> int:
        """Stop as Ctrl-C in a terminal does, and return the exit code."""
        return self._end(signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL every process of the group."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        if self._process.poll() is None:
            os.killpg(self._process.pid, number)
        code = self._process.wait(timeout=SECONDS_TO_STOP)
        if self._reader is not None:
            self._reader.join()
        return code

    def kubectl(self, *words: str, stdin: str = "", check: bool = True) -> str:
        """Run kubectl as the administrator; return its stdout, failing with its stderr."""
        done = self.run_kubectl(*words, stdin=stdin)
        assert not check or done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"
        return done.stdout

    def run_kubectl(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run kubectl as the administrator, whatever comes of it."""
        return subprocess.run(
            [str(BIN / "kubectl"), f"--kubeconfig={self.data_dir / 'kubeconfig'}", *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )

    def get(self, *words: str) -> Any:
        """`kubectl get -o json`, decoded."""
        return json.loads(self.kubectl("get", *words, "-o", "json"))

    def apply(self, *objects: dict[str, Any], namespace: str = "default") -> None:
        """Create objects from their JSON."""
        body = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        self.kubectl("create", "-n", namespace, "-f", "-", stdin=body)
