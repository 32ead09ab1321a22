"""What holds for the whole tree: names that are ours, files that fit in a head."""

import importlib
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LONGEST_FILE = 500
LONGEST_TEST_FILE = 600


def python_files() -> list[Path]:
    """Every Python file of the repository but generated ones."""
    listed = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.split() if "_pb2" not in name]


@pytest.mark.parametrize("package", ["proto", "datastore", "control_plane", "node", "tapir"])
def test_a_package_is_the_one_in_this_repository(package: str) -> None:
    found = importlib.import_module(package).__file__

    assert found is not None
    assert Path(found).is_relative_to(ROOT)


def test_no_file_is_too_long() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in python_files()}

    too_long = {
        str(path.relative_to(ROOT)): length
        for path, length in lengths.items()
        if length > (LONGEST_TEST_FILE if path.is_relative_to(ROOT / "tests") else LONGEST_FILE)
    }

    assert too_long == {}
