"""One of the compose files as a person brings it up, in a directory and on ports of its own.

The file is taken as it is. A second one that is laid over it names the socket of the engine that
the tests use, and what the images of the short form need.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.support.cluster import BIN
from tests.support.ports import free_port

REPOSITORY = Path(__file__).parents[2]
FILES = ("sqlite", "postgres", "mysql", "etcd")
SECONDS = 300.0
Document = dict[str, Any]


def document(name: str) -> Document:
    """The file `compose.NAME.yml`, parsed."""
    content: Document = yaml.safe_load((REPOSITORY / f"compose.{name}.yml").read_text())
    return content


class Project:
    """`compose.NAME.yml` in `directory`; `volumes` are mounted into every service of Tapir's image.

    `images` are the variables of the file that name images.
    """

    def __init__(
        self, name: str, directory: Path, images: Mapping[str, str], volumes: list[str]
    ) -> None:
        self.directory = directory
        self._store_port = free_port()
        self._files = [f"--file={REPOSITORY / f'compose.{name}.yml'}", "--file=here.yml"]
        self._variables = {
            **os.environ,
            **images,
            "PWD": str(directory),
            "COMPOSE_PROJECT_NAME": f"tapir-{name}-{self._store_port}",
            "STORE_PORT": str(self._store_port),
            "API_PORT": str(free_port()),
            "KUBELET_PORT": str(free_port()),
        }
        services = document(name)["services"]
        ours = [one for one in services if "TAPIR_IMAGE" in services[one]["image"]]
        over: Document = {one: {"volumes": list(volumes)} for one in ours}
        socket = os.environ["DOCKER_HOST"].removeprefix("unix://")
        over["cluster"]["volumes"].append(f"{socket}:/var/run/docker.sock")
        (directory / "here.yml").write_text(yaml.safe_dump({"services": over}))

    def compose(self, *words: str) -> str:
        """Run docker-compose; return its stdout, failing with its stderr."""
        # The project's directory is that of the first file unless told otherwise.
        where = f"--project-directory={self.directory}"
        return self._run("docker-compose", *self._files, where, *words)

    def up(self) -> None:
        """Start it and return when its node is ready."""
        self.compose("up", "--detach", "--no-build", "--quiet-pull")
        self._wait_for_cluster()

    def _wait_for_cluster(self) -> None:
        container = self.compose("ps", "--quiet", "cluster").strip()
        state = "{{.State.Health.Status}}"
        for _ in range(int(SECONDS)):
            health = self._run("docker", "inspect", f"--format={state}", container).strip()
            if health == "healthy":
                break
            # Paces the questions: it ends by itself, with the container or after a second.
            subprocess.run(["timeout", "1", "docker", "wait", container], check=False)
        self.kubectl("wait", "--for=condition=Ready", "node", "--all", "--timeout=60s")

    def down(self, *words: str) -> None:
        """Stop it and remove its containers; with `--volumes` its state, too."""
        self.compose("down", "--timeout=30", *words)

    def kubectl(self, *words: str) -> str:
        """Run kubectl as the administrator."""
        kubeconfig = f"--kubeconfig={self.directory / 'data' / 'kubeconfig'}"
        return self._run(str(BIN / "kubectl"), kubeconfig, *words)

    def fetch_certificates(self) -> None:
        """Copy the certificates out of their volume, for `etcdctl`."""
        container = self.compose("ps", "--quiet", "cluster").strip()
        self._run("docker", "cp", f"{container}:/etc/tapir", str(self.directory / "certificates"))

    def etcdctl(self, *words: str, certificate: str = "client") -> str:
        """Run etcdctl; "" for no client certificate."""
        files = self.directory / "certificates"
        pair = [f"--cert={files / certificate}.crt", f"--key={files / certificate}.key"]
        return self._run(
            str(BIN / "etcdctl"),
            f"--endpoints=https://127.0.0.1:{self._store_port}",
            f"--cacert={files / 'ca.crt'}",
            *(pair if certificate else []),
            *words,
        )

    def remove_pods(self) -> None:
        """Remove the containers of pods, which survive the cluster that started them."""
        owner = f"label=dev.tapir.kubelet.root-dir={self.directory / 'data' / 'kubelet'}"
        found = self._run("docker", "ps", "--all", "--quiet", f"--filter={owner}").split()
        if found:
            self._run("docker", "rm", "--force", *found)

    def logs(self) -> str:
        """What the services have said."""
        return self.compose("logs", "--no-color", "--tail=40")

    def _run(self, *words: str) -> str:
        done = subprocess.run(
            words,
            cwd=self.directory,
            env=self._variables,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(words[:9])}: {done.stdout}{done.stderr}"
        return done.stdout


@contextmanager
def running(
    name: str, directory: Path, images: Mapping[str, str], volumes: list[str]
) -> Iterator[Project]:
    """A project that is up; nothing of it is left afterwards, but for its logs when it fails."""
    data = directory / "data"
    data.mkdir(parents=True)
    subprocess.run(["mount", "--bind", data, data], check=True)
    try:
        subprocess.run(["mount", "--make-rshared", data], check=True)
        project = Project(name, directory, images, volumes)
        try:
            project.up()
            yield project
        except AssertionError as error:
            error.add_note(project.logs())
            raise
        finally:
            project.down("--volumes")
            project.remove_pods()
    finally:
        subprocess.run(["umount", "--recursive", "--lazy", data], check=True)
        shutil.rmtree(directory, ignore_errors=True)
