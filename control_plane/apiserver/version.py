"""What /version says: which Kubernetes this server is, and what it was built of.

The commit, the state of its tree and the date are in `build_facts.json`, which is written into
wheels (hatch_build.py). A server that runs from a checkout knows its commit alone; what is not
known is said as upstream's programs say it that were built without a release's script. `goVersion`
and `compiler` tell of the Python that runs it.

Used by discovery and the metrics. Source: Kubernetes v1.35, whose keys and order these are.
"""

import json
import platform
import sys
from collections.abc import Mapping
from pathlib import Path

from control_plane.api.schema import VERSION as KUBERNETES

_ROOT = Path(__file__).parents[2]
_UNKNOWN = {"gitCommit": "", "gitTreeState": "", "buildDate": "1970-01-01T00:00:00Z"}
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}  # as Go calls them


def version_info(root: Path = _ROOT) -> Mapping[str, str]:
    """The document of /version; `root` holds the packages and, in a checkout, `.git`."""
    major, minor, _patch = KUBERNETES.removeprefix("v").split(".")
    machine = platform.machine()
    return {
        "major": major,
        "minor": minor,
        "emulationMajor": major,
        "emulationMinor": minor,
        "minCompatibilityMajor": major,
        "minCompatibilityMinor": str(int(minor) - 1),
        "gitVersion": KUBERNETES,
        **build_facts(root),
        "goVersion": f"python{platform.python_version()}",
        "compiler": platform.python_implementation().lower(),
        "platform": f"{sys.platform}/{_ARCHITECTURES.get(machine, machine)}",
    }


def build_facts(root: Path) -> dict[str, str]:
    """The commit, the state of its tree and the date of the build under `root`."""
    written = root / "control_plane" / "apiserver" / "build_facts.json"
    if written.exists():
        return {**_UNKNOWN, **json.loads(written.read_text())}
    return {**_UNKNOWN, "gitCommit": _commit(root / ".git")}


def _commit(git: Path) -> str:
    """The commit that is checked out; "" where that cannot be read."""
    try:
        if git.is_file():  # of a worktree: where its own things are
            git = git.parent / git.read_text().removeprefix("gitdir:").strip()
        head = (git / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head
        name, common = head.removeprefix("ref: "), git
        if (git / "commondir").exists():
            common = git / (git / "commondir").read_text().strip()
        if (common / name).exists():
            return (common / name).read_text().strip()
        lines = (common / "packed-refs").read_text().splitlines()
        return next((line.split()[0] for line in lines if line.endswith(f" {name}")), "")
    except OSError:
        return ""


VERSION: Mapping[str, str] = version_info()
