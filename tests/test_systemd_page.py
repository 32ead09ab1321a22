"""docs/howto/run-under-systemd.md does what it says: its unit is sound, its variables serve."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.servers import missing_server

PAGE = Path(__file__).parents[1] / "docs" / "howto" / "run-under-systemd.md"
BIN = Path(sys.executable).parent
SECONDS = 60.0


def block(language: str) -> str:
    (text,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert isinstance(text, str)
    return text


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        missing_server("systemd-analyze is missing: install systemd")
    unit = tmp_path / "tapir-datastore.service"
    unit.write_text(block("systemd").replace("/opt/tapir/bin", str(BIN)))

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    # It also speaks of other units of the machine.
    said = [line for line in done.stderr.splitlines() if unit.name in line]
    assert (done.returncode, said) == (0, [])


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """The page's variables, with certificates by its command, on a port and in a place of ours."""
    command = block("sh").splitlines()[0].replace("/etc/tapir", str(tmp_path))
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    command = command.replace("/opt/tapir/bin/", "")
    subprocess.run(["sh", "-ec", command], env={**os.environ, "PATH": path}, check=True)
    text = (
        block("ini").replace("/var/lib/tapir", str(tmp_path)).replace("/etc/tapir", str(tmp_path))
    )
    text = text.replace("2379", str(free_port())).replace("2381", str(free_port()))
    return dict(line.split("=", 1) for line in text.splitlines())


def test_the_variables_serve_and_systemd_is_told(tmp_path: Path, variables: dict[str, str]) -> None:
    files = {"CACERT": "ca.crt", "CERT": "client.crt", "KEY": "client.key"}
    client = {f"ETCDCTL_{name}": str(tmp_path / "pki" / file) for name, file in files.items()}
    asked = [
        str(BIN / "etcdctl"),
        "--endpoints",
        variables["ETCD_LISTEN_CLIENT_URLS"],
        "put",
        "a",
        "b",
    ]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(tmp_path / "notify"))
        told.settimeout(SECONDS)
        server = subprocess.Popen(
            [sys.executable, "-m", "tapir", "datastore"],
            env={**os.environ, **variables, "NOTIFY_SOCKET": str(tmp_path / "notify")},
            stderr=subprocess.DEVNULL,
        )
        try:
            assert told.recv(100) == b"READY=1"
            put = subprocess.run(asked, env={**os.environ, **client}, timeout=SECONDS, check=False)
            without = {name: path for name, path in client.items() if name == "ETCDCTL_CACERT"}
            bare = subprocess.run(asked, env={**os.environ, **without}, check=False)
        finally:
            server.terminate()
            server.wait(SECONDS)
    assert (put.returncode, bare.returncode != 0) == (0, True)
