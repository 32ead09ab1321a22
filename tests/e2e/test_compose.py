"""The compose files: alike but for the store, and one of them brought up.

`make compose` brings up all of them, on images made as a person makes them.
"""

import os
import shutil
from pathlib import Path

import pytest

from tests.compose.machine_image import machine_image, machine_volumes
from tests.compose.project import FILES, document, running
from tests.compose.story import tell
from tests.support.servers import missing_server

STORE = ("datastore", "database")


@pytest.mark.parametrize("name", FILES)
def test_the_files_differ_in_the_store_alone(name: str) -> None:
    first, other = document("sqlite")["services"], document(name)["services"]

    assert {one: first[one] for one in first if one not in STORE} == {
        one: other[one] for one in other if one not in STORE
    }
    assert set(other) - set(first) <= {"database"}


@pytest.mark.parametrize("name", ["postgres", "mysql"])
def test_tapirs_datastore_differs_in_its_endpoint_alone(name: str) -> None:
    first, other = document("sqlite")["services"]["datastore"], document(name)["services"]
    own = ("environment", "volumes", "depends_on")

    assert {key: first[key] for key in first if key not in own} == {
        key: other["datastore"][key] for key in other["datastore"] if key not in own
    }
    assert list(other["datastore"]["environment"]) == ["ETCD_ENDPOINT"]


@pytest.mark.parametrize("name", FILES)
def test_the_store_is_checked_and_kept_and_asks_for_certificates(name: str) -> None:
    file = document(name)
    services = file["services"]
    keeper = services.get("database", services["datastore"])

    assert "--client-cert-auth" in services["datastore"]["command"]
    assert any(volume.split(":")[0] in file["volumes"] for volume in keeper["volumes"][-1:])
    assert "healthcheck" in keeper or "TAPIR_IMAGE" in keeper["image"]


@pytest.mark.docker
@pytest.mark.timeout(300)
def test_what_was_written_is_there_after_it_was_taken_down(tmp_path: Path, image: str) -> None:
    if shutil.which("docker-compose") is None or os.geteuid() != 0:
        missing_server("docker-compose is missing, or this is not root, who makes shared mounts")
    images = {"TAPIR_IMAGE": machine_image(os.environ["DOCKER_HOST"])}

    with running("sqlite", tmp_path / "compose", images, machine_volumes()) as project:
        assert project.compose("exec", "-T", "datastore", "id", "-u") == "10001\n"
        tell(project, image, print)
