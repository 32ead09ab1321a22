"""What /version says of the build: of a wheel, of a checkout, of neither."""

import json
from pathlib import Path

import pytest

from control_plane.apiserver.version import build_facts, version_info

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NO_DATE = "1970-01-01T00:00:00Z"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_wheel_has_the_facts_of_its_build(tmp_path: Path) -> None:
    facts = {"gitCommit": COMMIT, "gitTreeState": "clean", "buildDate": "2026-03-01T10:00:00Z"}
    write(tmp_path / "control_plane/apiserver/build_facts.json", json.dumps(facts))
    assert build_facts(tmp_path) == facts
    assert version_info(tmp_path)["gitCommit"] == COMMIT


@pytest.mark.parametrize(
    "files",
    [
        {".git/HEAD": f"{COMMIT}\n"},
        {".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": f"{COMMIT}\n"},
        {
            ".git/HEAD": "ref: refs/heads/main\n",
            ".git/packed-refs": f"# pack-refs with: peeled\n{COMMIT} refs/heads/main\n",
        },
        {
            ".git": "gitdir: main/.git/worktrees/one\n",
            "main/.git/worktrees/one/HEAD": "ref: refs/heads/one\n",
            "main/.git/worktrees/one/commondir": "../..\n",
            "main/.git/refs/heads/one": f"{COMMIT}\n",
        },
    ],
    ids=["detached", "branch", "packed", "worktree"],
)
def test_a_checkout_knows_its_commit_alone(tmp_path: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        write(tmp_path / name, text)
    wanted = {"gitCommit": COMMIT, "gitTreeState": "", "buildDate": NO_DATE}
    assert build_facts(tmp_path) == wanted


@pytest.mark.parametrize(
    "files", [{}, {".git/HEAD": "ref: refs/heads/main\n", ".git/packed-refs": ""}]
)
def test_nothing_is_invented(tmp_path: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        write(tmp_path / name, text)
    assert build_facts(tmp_path) == {"gitCommit": "", "gitTreeState": "", "buildDate": NO_DATE}
