"""An operator of widgets, written with kopf: the test runs it as `kopf run`, with WIDGETS set.

WIDGETS is JSON: their group, a directory with the webhook's certificates and files by which the
test and the operator tell each other things.
"""

import json
import os
from pathlib import Path
from typing import Any

import kopf

CONFIG = json.loads(os.environ["WIDGETS"])
DIRECTORY = Path(CONFIG["directory"])
WIDGETS = (CONFIG["group"], "v1", "widgets")


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    """Serve the webhook, and let kopf keep its configuration."""
    settings.admission.server = kopf.WebhookServer(
        addr="127.0.0.1",
        host="127.0.0.1",
        cafile=str(DIRECTORY / "ca.crt"),
        certfile=str(DIRECTORY / "own.crt"),
        pkeyfile=str(DIRECTORY / "own.key"),
    )
    settings.admission.managed = CONFIG["group"]


@kopf.on.validate(*WIDGETS, operation="CREATE")
def check_size(spec: kopf.Spec, warnings: list[str], **_: Any) -> None:
    """Refuse widgets of a negative size, and wonder at large ones."""
    if spec.get("size", 0) < 0:
        raise kopf.AdmissionError("size must not be negative", code=422)
    if spec.get("size", 0) > 100:
        warnings.append("that is a large widget")


@kopf.on.create(*WIDGETS)
def create(spec: kopf.Spec, patch: kopf.Patch, retry: int, **_: Any) -> dict[str, int]:
    """Tell the size in the status; some widgets wait for the file `go` to be there."""
    if spec.get("waits") and not (DIRECTORY / "go").exists():
        raise kopf.TemporaryError("waiting", delay=0.5)
    patch.status["size"] = spec["size"]
    return {"retries": retry}


@kopf.on.update(*WIDGETS)
def update(spec: kopf.Spec, patch: kopf.Patch, **_: Any) -> None:
    """Tell the new size in the status."""
    patch.status["size"] = spec["size"]


@kopf.on.delete(*WIDGETS)
def delete(name: str, **_: Any) -> None:
    """Write down who is gone; kopf's finalizer holds the object until then."""
    with (DIRECTORY / "deleted").open("a") as file:
        file.write(f"{name}\n")
