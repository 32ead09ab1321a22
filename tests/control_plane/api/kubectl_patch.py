"""kubectl as the judge of strategic merge patches: it merges locally, without any server."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

KUBECTL = Path(sys.executable).with_name("kubectl")


def kubectl_patch(
    folder: Path, obj: dict[str, Any], patch: dict[str, Any]
) -> subprocess.CompletedProcess[str]:
    """Return what came of `kubectl patch --local`; stdout is the merged object as JSON."""
    file = folder / "object.json"
    file.write_text(json.dumps(obj))
    command = [KUBECTL, "patch", "--local", "--type=strategic", "-f", file]
    return subprocess.run(
        [*map(str, command), "-p", json.dumps(patch), "-o", "json"],
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": str(folder)},
        timeout=60,
    )
