"""`make kubectl-verbs`: every verb, with the installed kubectl and with others that are named.

python -m tests.clients.kubectl_verbs /usr/bin/kubectl-1.32 .venv/bin/kubectl
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.clients.kubectl_verbs.verbs import STEPS
from tests.clients.steps import objection
from tests.support.apiserver import ThreadedApiServer
from tests.support.datastore import Datastore

INSTALLED = str(Path(sys.executable).with_name("kubectl"))


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
        found
        for step in STEPS
        if (found := objection(command, environment, step.filled(ns=namespace)))
    ]


if __name__ == "__main__":
    sys.exit(main())
