"""kubectl lists what upstream's API server would: api_resources.txt is its table."""

import os
import subprocess
import sys
from pathlib import Path

from control_plane.api.resources import RESOURCES
from tests.support.apiserver import ThreadedApiServer

KUBECTL = Path(sys.executable).parent / "kubectl"
EXPECTED = Path(__file__).with_name("api_resources.txt")
ALL = "create,delete,deletecollection,get,list,patch,update,watch"
COLUMNS = ("NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND", "VERBS", "CATEGORIES")

Row = tuple[str, ...]


def expected_rows() -> list[Row]:
    lines = EXPECTED.read_text().splitlines()
    cells = [line.split() for line in lines if not line.startswith("#")]
    return sorted(tuple(_expanded(cell) for cell in row) for row in cells)


def _expanded(cell: str) -> str:
    return {"-": "", "ALL": ALL}.get(cell, cell)


def printed_rows(output: str) -> list[Row]:
    """Return the cells of a table of columns that start where their headings do."""
    heading, *lines = output.splitlines()
    starts = [heading.index(column) for column in COLUMNS]
    ends = [*starts[1:], None]
    return sorted(
        tuple(line[a:b].strip() for a, b in zip(starts, ends, strict=True)) for line in lines
    )


def test_kubectl_prints_upstreams_table(server: ThreadedApiServer, tmp_path: Path) -> None:
    done = subprocess.run(
        [KUBECTL, f"--kubeconfig={server.kubeconfig}", "api-resources", "-o", "wide"],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    built_in = [row for row in printed_rows(done.stdout) if ".com/" not in row[2]]  # others' tests
    assert built_in == expected_rows()


def test_versions_that_kubectl_does_not_prefer_are_served_all_the_same() -> None:
    shown = {(row[2], row[0]) for row in expected_rows()}
    others = {(row.api_version, row.plural) for row in RESOURCES} - shown
    assert others == {("autoscaling/v1", "horizontalpodautoscalers")}
