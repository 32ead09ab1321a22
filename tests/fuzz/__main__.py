"""`make fuzz`: requests, credentials, definitions and webhooks' answers at random, and expressions.

Shows the server's memory, and every fault.
"""

import argparse
import resource
import sys
import tempfile
from pathlib import Path

from tests.fuzz.answers import AnswerFuzzer
from tests.fuzz.credentials import CredentialFuzzer
from tests.fuzz.definitions import run_rounds
from tests.fuzz.expressions import Expressions
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
    parser.add_argument("--answers", type=int, default=4_000)
    parser.add_argument("--expressions", type=int, default=100_000)
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
        answers = AnswerFuzzer(server, Path(directory), arguments.seed)
        answers.run(arguments.answers)
        _say(f"{arguments.answers} answers {dict(sorted(answers.codes.items()))}, {_memory()} MiB")
        faults = [*fuzzer.faults, *credentials.faults, *answers.faults]
    expressions = Expressions(arguments.seed)
    faults += expressions.run(arguments.expressions)
    _say(f"{arguments.expressions} expressions, {expressions.evaluated} evaluated")
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
