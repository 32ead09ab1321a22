"""Whole sessions of etcdctl: the texts beside this file are what a real etcd's user reads."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.contract.etcdctl.program import Etcdctl, etcdctl_program
from tests.contract.etcdctl.transcript import play

pytestmark = pytest.mark.any_backend


HERE = Path(__file__).parent
AUTH = HERE.parent / "auth" / "test_etcdctl_auth.py"
COMMAND = re.compile(r"^\t([a-z-]+(?: [a-z-]+)?)\t+[A-Z\[]", re.MULTILINE)
ASK_NO_SERVER = {"help", "snapshot restore", "snapshot status"}  # these read a bbolt file


def test_every_sub_command_is_run() -> None:
    """By a session's text, or by a test beside it: {"lease", "list"} is as good as $ lease list."""
    told = subprocess.run([etcdctl_program()], capture_output=True, text=True, check=True).stdout
    files = {*HERE.glob("*.txt"), *HERE.glob("*.py"), AUTH} - {Path(__file__)}
    text = "\n".join(file.read_text() for file in files)
    missing = {
        command
        for command in COMMAND.findall(told.partition("OPTIONS:")[0])
        if f"$ {command}" not in text and '"' + command.replace(" ", '", "') + '"' not in text
    }

    assert missing == ASK_NO_SERVER


@pytest.mark.own_server
@pytest.mark.etcd_since("3.6")
@pytest.mark.parametrize("session", ["keys", "operations"])
async def test_a_session_reads_the_same(etcdctl: Etcdctl, session: str) -> None:
    text = (Path(__file__).parent / f"{session}.txt").read_text()

    assert await play(etcdctl, text) == text
