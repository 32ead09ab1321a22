"""The short form's image: nothing in it but what the Dockerfile says of users and commands.

Python, its libraries and Tapir are this machine's own, mounted into the containers: no package is
installed, so a test has it in a second. What it leaves out is the installation in the Dockerfile,
which `make compose` does.
"""

import io
import re
import sys
import tarfile
from pathlib import Path

import docker

from tests.compose.project import REPOSITORY

IMAGE = "tapir-test/machine"
USER = 10001
USR = Path("/usr")
LIBRARIES = Path("/etc/ld.so.cache")  # finds those of /usr/local
LINKS = ("bin", "lib", "lib64", "sbin")
KEPT = ("ENV", "USER", "WORKDIR", "ENTRYPOINT", "CMD", "HEALTHCHECK")


def machine_image(endpoint: str) -> str:
    """Import the image into the engine at `endpoint` and return its name."""
    client = docker.DockerClient(base_url=endpoint)
    try:
        client.api.import_image_from_data(
            _archive(), repository=IMAGE, tag="latest", changes=_instructions()
        )
    finally:
        client.close()
    return IMAGE


def machine_volumes() -> list[str]:
    """What containers of the image need mounted."""
    venv = Path(sys.prefix)
    own = dict.fromkeys((USR, Path(sys.base_prefix).resolve(), REPOSITORY, venv))
    outside = [path for path in own if USR not in path.parents]
    paths = [*outside, *([LIBRARIES] if LIBRARIES.exists() else [])]
    return [*(f"{path}:{path}:ro" for path in paths), f"{venv}:/opt/tapir:ro"]


def _instructions() -> list[str]:
    """The lines of the Dockerfile's last stage that say how a container runs."""
    text = (REPOSITORY / "Dockerfile").read_text().replace("\\\n", " ")
    stage = re.split(r"^FROM ", text, flags=re.MULTILINE)[-1]
    lines = [line for line in stage.splitlines() if line.startswith(KEPT)]
    return [line.replace("$PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin") for line in lines]


def _archive() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in LINKS:
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, f"usr/{name}"
            archive.addfile(link)
        for name, user, mode in (
            ("tmp", 0, 0o1777),
            ("etc", 0, 0o755),
            ("etc/tapir", USER, 0o700),
            ("var/lib/tapir", USER, 0o700),
        ):
            directory = tarfile.TarInfo(name)
            directory.type, directory.mode = tarfile.DIRTYPE, mode
            directory.uid = directory.gid = user
            archive.addfile(directory)
        for name, content in (
            ("etc/passwd", f"root:x:0:0::/root:\ntapir:x:{USER}:{USER}::/var/lib/tapir:\n"),
            ("etc/group", f"root:x:0:\ntapir:x:{USER}:\n"),
        ):
            file = tarfile.TarInfo(name)
            file.size, file.mode = len(content), 0o644
            archive.addfile(file, io.BytesIO(content.encode()))
    return buffer.getvalue()
