"""`make compose`: bring up each compose file on images made as a person makes them.

A cluster is used by etcdctl and kubectl, taken down, brought up again, and has to hold what it
held. Takes root, debootstrap, docker-compose and, unless an engine answers, dockerd. Exit code 0
when all that were asked for did.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.compose.debian_images import build_images, variables
from tests.compose.project import FILES, running
from tests.compose.story import tell
from tests.support.docker_engine import DockerEngine
from tests.support.images import busybox_image

TOOLS = ("docker", "docker-compose", "debootstrap")


def main() -> int:
    """Build the images, and tell the story of each file."""
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}", description=__doc__)
    parser.add_argument("files", nargs="*", metavar="FILE", help=f"of {', '.join(FILES)}: all")
    parser.add_argument("--no-build", action="store_true", help="the engine has the images")
    flags = parser.parse_args()
    names = flags.files or list(FILES)
    if unknown := set(names) - set(FILES):
        parser.error(f"there is no compose.{min(unknown)}.yml")
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        sys.exit(f"install {', '.join(missing)}")
    engine = DockerEngine()
    try:
        if problem := engine.start():
            sys.exit(problem)
        if not flags.no_build:
            build_images(names)
        failed = [name for name in names if not _tell(name)]
    finally:
        engine.stop()
    if failed:
        _say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def _tell(name: str) -> bool:
    began = time.monotonic()
    directory = Path(tempfile.mkdtemp(prefix=f"tapir-compose-{name}-")) / "project"
    _say(f"== compose.{name}.yml")
    try:
        with running(name, directory, variables(name), []) as project:
            tell(project, busybox_image(), _say)
    except AssertionError as error:
        _say("\n".join([f"FAILED: {error}", *getattr(error, "__notes__", [])]))
        return False
    finally:
        shutil.rmtree(directory.parent, ignore_errors=True)
    _say(f"== compose.{name}.yml: found again, {time.monotonic() - began:.0f} s\n")
    return True


def _say(text: str) -> None:
    sys.stdout.write(text.rstrip() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
