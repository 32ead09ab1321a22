"""`make fuzz`: many requests and credentials to a server, its memory, and every fault."""

import argparse
import resource
import sys
import tempfile
from pathlib import Path

from tests.fuzz.credentials import CredentialFuzzer
from tests.fuzz.definitions import run_rounds
from tests.fuzz.fuzzer import Fuzzer
from tests.fuzz.requests import Requests
from tests.support.apiserver import ThreadedApiServer
from tests.support.datastore import Datastore

ROUND = 5_000
DEFINITIONS = 2_000


def main() -> int:
    """Send the requests round by round; 1 when one of them was answered with a fault."""
    parser = argparse.ArgumentParser(prog="fuzz")
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--credentials", type=int, default=20_000)
    parser.add_argument("--definitions", type=int, default=DEFINITIONS)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with (
        Datastore() as store,
        tempfile.TemporaryDirectory() as directory,
        ThreadedApiServer(store.endpoint, Path(directory)) as server,
    ):
        fuzzer = Fuzzer(server.server.port, server.pki)
        requests = Requests(fuzzer.operations(), arguments.seed)
        for done in range(0, arguments.requests, ROUND):
            fuzzer.run(requests, ROUND)
            _say(f"{done + ROUND} requests, {_memory()} MiB, {len(fuzzer.faults)} faults")
        for done in range(0, arguments.definitions, DEFINITIONS // 10):
            run_rounds(fuzzer, arguments.seed + done, DEFINITIONS // 10)
            _say(f"{done} definitions, {_memory()} MiB, {len(fuzzer.faults)} faults")
        fuzzer.close()
        credentials = CredentialFuzzer(server.url, server.pki, Path(directory), arguments.seed)
        credentials.tokens(arguments.credentials)
        credentials.certificates(arguments.credentials // 10)
        _say(f"{arguments.credentials} tokens and a tenth as many certificates, {_memory()} MiB")
        faults = [*fuzzer.faults, *credentials.faults]
    for fault in faults[:50]:
        _say(fault)
    _say(f"answers {dict(sorted(fuzzer.codes.items()))}, the slowest {fuzzer.slowest}")
    return 1 if faults else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _memory() -> int:
    """Return the memory of this process in MiB, server and fuzzer together."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 2**20


if __name__ == "__main__":
    sys.exit(main())
