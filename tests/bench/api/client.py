"""The load program of loader/api (Go's own HTTP client), run for each figure."""

import json
import subprocess
from typing import Any

from tests.bench.api.servers import ADMIN, HttpsServer
from tests.bench.compiled_client import SPARE_SECONDS, built


def run(server: HttpsServer, work: str, path: str, **flags: Any) -> dict[str, Any]:
    """Put one kind of load on a server; RuntimeError with its words when a request failed.

    The answer is the program's report: rates per second, latencies in ms, CPU in seconds.
    """
    own = server.pki.pair(ADMIN)
    argv = [str(built("api")), f"-work={work}", f"-path={path}"]
    argv += [f"-url={server.url}", f"-ca={server.pki.pair('ca').certificate}"]
    argv += [f"-cert={own.certificate}", f"-key={own.key}", f"-server-pid={server.pid}"]
    argv += [f"-{name.replace('_', '-')}={value}" for name, value in flags.items()]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=SPARE_SECONDS)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {done.stderr.strip()}")
    said: dict[str, Any] = json.loads(done.stdout)
    return said
