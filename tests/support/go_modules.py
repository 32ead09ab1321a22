"""Files of published Go modules, which is how many projects publish their manifests too.

Fetched once into build/modules by the Go toolchain, which checks them against the public log of
checksums; the lock lets several test runs share them.
"""

import fcntl
import json
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.support.servers import missing_server

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = REPOSITORY / "build" / "modules"
FETCH_SECONDS = 300


class GoModule(NamedTuple):
    """A module at a version; `files` is a pattern of those that tests want."""

    path: str
    version: str
    files: str

    def fetched(self) -> list[Path]:
        """The wanted files, in the order of their names.

        Skip (with CI=true: fail) the asking test when they cannot be had.
        """
        target = BUILD / f"{self.path.replace('/', '-')}-{self.version}"
        BUILD.mkdir(parents=True, exist_ok=True)
        with (BUILD / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not target.exists():
                self._fetch(target)
        return sorted(target.iterdir())

    def _fetch(self, target: Path) -> None:
        if shutil.which("go") is None:
            missing_server("no Go toolchain: install Go")
        done = subprocess.run(
            ["go", "mod", "download", "-json", f"{self.path}@{self.version}"],
            cwd=BUILD, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False,
        )  # fmt: skip
        if done.returncode:
            missing_server(f"go mod download {self.path}: {done.stderr or done.stdout}")
        unfinished = target.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        for found in Path(json.loads(done.stdout)["Dir"]).glob(self.files):
            shutil.copyfile(found, unfinished / found.name)
        unfinished.rename(target)
