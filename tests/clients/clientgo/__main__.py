"""`make client-go`: client-go's typed clients, metadata client and informers, all in protobuf.

Builds once into build/go, which takes two minutes of CPU. Exit code 0 when every step holds on
every store.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.apiserver import ThreadedApiServer
from tests.support.go_program import go_program
from tests.support.raw_api import RawApi
from tests.support.running_stores import STORES

SOURCE = Path(__file__).parent
NAMESPACE = "client-go"
SECONDS = 120


def main() -> int:
    """Run the program on the chosen stores."""
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}", description=__doc__)
    parser.add_argument("stores", nargs="*", choices=[[], *STORES], help="default: all")
    parser.add_argument("--program", type=Path, help="the program, built already")
    args = parser.parse_args()
    program = args.program or go_program(SOURCE)
    return max([_run(program, name) for name in args.stores or STORES])


def _run(program: Path, name: str) -> int:
    sys.stdout.write(f"--- {name}\n")
    sys.stdout.flush()
    with (
        tempfile.TemporaryDirectory() as directory,
        STORES[name]() as store,
        ThreadedApiServer(store.endpoint, Path(directory)) as server,
    ):
        _make_namespace(server)
        command = [str(program), str(server.kubeconfig), NAMESPACE]
        return subprocess.run(command, timeout=SECONDS, check=False).returncode


def _make_namespace(server: ThreadedApiServer) -> None:
    admin = server.pki.pair("admin")
    with RawApi(server.url, server.pki.pair("ca").certificate, admin) as api:
        api.post("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"
        assert api.post(path, {"metadata": {"name": "default"}}).code == 201


if __name__ == "__main__":
    sys.exit(main())
