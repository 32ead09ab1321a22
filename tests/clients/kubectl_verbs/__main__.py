"""`make kubectl-verbs`: every verb, with the installed kubectl and with others that are named.

python -m tests.clients.kubectl_verbs /usr/bin/kubectl-1.32 .venv/bin/kubectl
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.clients.kubectl_verbs.verbs import STEPS, Step
from tests.support.apiserver import ThreadedApiServer
from tests.support.datastore import Datastore

INSTALLED = str(Path(sys.executable).with_name("kubectl"))
SECONDS = 120


def main() -> int:
    """Run all steps with each kubectl; 1 when one did not end as it should."""
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}", description=__doc__)
    parser.add_argument("kubectls", nargs="*", default=[INSTALLED])
    kubectls = parser.parse_args().kubectls
    with (
        tempfile.TemporaryDirectory() as directory,
        Datastore() as store,
        ThreadedApiServer(store.endpoint, Path(directory)) as server,
    ):
        wrong = [
            _wrong(kubectl, f"verbs-{number}", server.kubeconfig, Path(directory))
            for number, kubectl in enumerate(kubectls)
        ]
    for kubectl, found in zip(kubectls, wrong, strict=True):
        done = "\n  ".join((f"{len(STEPS) - len(found)} of {len(STEPS)} steps", *found))
        sys.stdout.write(f"{kubectl}: {done}\n")
    return int(any(wrong))


def _wrong(kubectl: str, namespace: str, kubeconfig: Path, directory: Path) -> list[str]:
    home = directory / namespace
    home.mkdir()
    command = [kubectl, f"--kubeconfig={kubeconfig}", f"--namespace={namespace}"]
    environment = {**os.environ, "HOME": str(home)}
    return [
        found for step in STEPS if (found := _objection(command, environment, _of(step, namespace)))
    ]


def _of(step: Step, namespace: str) -> Step:
    def filled(text: str) -> str:
        return text.replace("{ns}", namespace)

    return step._replace(words=filled(step.words), stdin=filled(step.stdin))


def _objection(command: list[str], environment: dict[str, str], step: Step) -> str:
    words, dashes, rest = step.words.partition(" -- ")
    done = subprocess.run(
        [*command, *words.split(" "), *(["--", *rest.split(" ")] if dashes else [])],
        input=step.stdin, env=environment, text=True, timeout=SECONDS, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if (done.returncode, step.says in done.stdout) == (step.code, True):
        return ""
    return f"{step.words}: {done.returncode}, {done.stdout.strip()[-500:]}"


if __name__ == "__main__":
    sys.exit(main())
