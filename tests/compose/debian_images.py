"""The images of the long form: Tapir's own Dockerfile, and databases of Debian, on a bare Debian.

debootstrap makes the base once, into build/compose. What an engine has already it builds from its
cache.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.compose.project import REPOSITORY

BASE = "tapir-test/debian"
TAPIR = "tapir-test/tapir"
SUITE, MIRROR = "bookworm", "http://deb.debian.org/debian"
PACKAGES = "python3,python3-venv,ca-certificates"
DIRECTORY = REPOSITORY / "build" / "compose"
# The machine's authorities are the image's: a proxy between it and the packages may have its own.
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
PIP = f"[global]\ncert = {AUTHORITIES}\n"
DATABASES = {
    "postgres": {"POSTGRES_IMAGE": "tapir-test/postgres"},
    "mysql": {"MYSQL_IMAGE": "tapir-test/mysql"},
    "etcd": {"ETCD_IMAGE": "tapir-test/etcd"},
}


def build_images(names: Iterable[str]) -> None:
    """Build what the compose files called `names` need, in the engine of DOCKER_HOST."""
    if not _has(BASE):
        _run("docker", "import", str(_base()), BASE)
    _build(REPOSITORY, TAPIR)
    for name in names:
        for image in DATABASES.get(name, {}).values():
            _build(Path(__file__).parent, image, f"--target={name}")


def variables(name: str) -> dict[str, str]:
    """Return the variables that name these images in `compose.NAME.yml`."""
    return {"TAPIR_IMAGE": TAPIR, **DATABASES.get(name, {})}


def _base() -> Path:
    """The file system of a bare Debian with Python, as an archive."""
    archive, root = DIRECTORY / "debian.tar", DIRECTORY / "debian"
    if archive.exists():
        return archive
    shutil.rmtree(root, ignore_errors=True)
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    _run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(root), MIRROR)
    shutil.copy(AUTHORITIES, root / AUTHORITIES.relative_to("/"))
    (root / "etc/pip.conf").write_text(PIP)
    for package in (root / "var/cache/apt/archives").glob("*.deb"):
        package.unlink()
    part = archive.with_suffix(".part")
    _run("tar", f"--directory={root}", "--create", f"--file={part}", ".")
    part.rename(archive)
    shutil.rmtree(root)
    return archive


def _has(image: str) -> bool:
    asked = subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False)
    return asked.returncode == 0


def _build(context: Path, image: str, *words: str) -> None:
    arguments = (f"--build-arg=BASE={BASE}", f"--tag={image}", "--network=host", *words)
    _run("docker", "build", *arguments, str(context))


def _run(*words: str) -> None:
    # The builder of old is in every engine; the new one is a plug-in that may be missing.
    environment = {**os.environ, "DOCKER_BUILDKIT": "0"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
