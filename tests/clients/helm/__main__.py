"""`make helm`: what people do with Helm 3 and 4, against a cluster that runs containers.

python -m tests.clients.helm [PATH ...]    for Helms that are built already

Without them both are built once into build/go, which takes some minutes of CPU each. Every step is
printed with its outcome; exit code 0 when each ended as it should.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.clients.helm.steps import STEPS
from tests.clients.steps import objection
from tests.e2e.conftest import remove_containers
from tests.support.cluster import BIN, Cluster
from tests.support.docker_engine import DockerEngine
from tests.support.go_program import published_program
from tests.support.images import busybox_image

CHARTS = Path(__file__).parent / "charts"
PUBLISHED = (("helm.sh/helm/v3/cmd/helm", "v3.22.0"), ("helm.sh/helm/v4/cmd/helm", "v4.3.1"))


def main() -> int:
    """Run all steps with each Helm, in a namespace of its own; 1 when one went wrong."""
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}", description=__doc__)
    parser.add_argument("helms", nargs="*", type=Path)
    helms = parser.parse_args().helms or [published_program(*each) for each in PUBLISHED]
    with tempfile.TemporaryDirectory() as directory, _cluster(Path(directory)) as cluster:
        wrong = [_wrong(helm, f"helm-{number}", cluster) for number, helm in enumerate(helms, 1)]
    return int(any(wrong))


@contextmanager
def _cluster(directory: Path) -> Iterator[Cluster]:
    engine = DockerEngine()
    missing = engine.start()
    try:
        if missing:
            raise SystemExit(missing)
        busybox_image()
        with Cluster(directory / "data", []) as cluster:
            yield cluster
        remove_containers(cluster)
    finally:
        engine.stop()


def _wrong(helm: Path, namespace: str, cluster: Cluster) -> int:
    home = cluster.data_dir.parent / namespace
    home.mkdir()
    kubeconfig = cluster.data_dir / "kubeconfig"
    environment = {**os.environ, "HOME": str(home), "KUBECONFIG": str(kubeconfig)}
    programs = {"helm": str(helm), "kubectl": str(BIN / "kubectl")}
    asked = subprocess.run([helm, "upgrade", "--help"], capture_output=True, text=True, check=True)
    force = "--force-conflicts" if "--force-conflicts" in asked.stdout else ""
    sys.stdout.write(f"--- {helm.name}\n")
    wrong = 0
    for step in STEPS:
        program, _, words = step.words.partition(" ")
        command = [programs[program], f"--namespace={namespace}"]
        called = step._replace(words=words).filled(ns=namespace, charts=str(CHARTS), force=force)
        found = objection(command, environment, called)
        wrong += bool(found)
        sys.stdout.write(f"WRONG {found}\n" if found else f"ok    {step.words}\n")
        sys.stdout.flush()
    return wrong


if __name__ == "__main__":
    sys.exit(main())
