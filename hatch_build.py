"""What a wheel is built of, written into it as control_plane/apiserver/build_facts.json.

/version and kubernetes_build_info say it. In a checkout git knows it; elsewhere the environment
may: TAPIR_GIT_COMMIT, TAPIR_GIT_TREE_STATE ("clean" or "dirty"). SOURCE_DATE_EPOCH is the date of a
build that is to be reproducible. Called by hatchling.
"""

import datetime
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_PLACE = "control_plane/apiserver/build_facts.json"


class BuildFacts(BuildHookInterface):
    """Adds the facts to wheels, but for editable ones: a checkout changes under them."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write them beside the build."""
        if version == "editable":
            return
        path = Path(tempfile.mkdtemp()) / "build_facts.json"
        path.write_text(json.dumps(_facts(Path(self.root), os.environ)))
        build_data["force_include"][str(path)] = _PLACE


def _facts(root: Path, environment: Mapping[str, str]) -> dict[str, str]:
    commit = environment.get("TAPIR_GIT_COMMIT", "")
    state = environment.get("TAPIR_GIT_TREE_STATE", "")
    if not commit and (root / ".git").exists():
        commit = _git(root, "rev-parse", "HEAD")
        state = "dirty" if _git(root, "status", "--porcelain") else "clean"
    seconds = int(environment.get("SOURCE_DATE_EPOCH") or time.time())
    date = datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"gitCommit": commit, "gitTreeState": state, "buildDate": date}


def _git(root: Path, *words: str) -> str:
    command = ["git", "-C", str(root), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
