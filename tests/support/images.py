"""The image that tests run containers from, made of Debian's busybox-static: no registry is needed.

`busybox_image()` makes it once an engine; it has /bin with every applet, /tmp, and busybox's sh as
its default command.
"""

import functools
import io
import os
import subprocess
import tarfile
from pathlib import Path

import docker

from tests.support.servers import missing_server

IMAGE = "tapir-test/busybox:1"
BUSYBOX = Path("/bin/busybox")


def busybox_image() -> str:
    """Return the image's name, importing it when the engine of DOCKER_HOST lacks it."""
    return _ensure(os.environ.get("DOCKER_HOST", ""))


@functools.cache
def _ensure(endpoint: str) -> str:
    if not BUSYBOX.exists():
        missing_server("no /bin/busybox: install busybox-static")
    client = docker.DockerClient(base_url=endpoint) if endpoint else docker.from_env()
    try:
        if not client.images.list(name=IMAGE):
            repository, _, tag = IMAGE.partition(":")
            client.api.import_image_from_data(
                _archive(), repository=repository, tag=tag, changes=['CMD ["sh"]']
            )
    finally:
        client.close()
    return IMAGE


def _archive() -> bytes:
    applets = subprocess.run(
        [BUSYBOX, "--list"], check=True, capture_output=True, text=True
    ).stdout.split()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(BUSYBOX, "bin/busybox")
        for applet in applets:
            if applet != "busybox":
                link = tarfile.TarInfo(f"bin/{applet}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                archive.addfile(link)
        tmp = tarfile.TarInfo("tmp")
        tmp.type, tmp.mode = tarfile.DIRTYPE, 0o1777
        archive.addfile(tmp)
    return buffer.getvalue()
