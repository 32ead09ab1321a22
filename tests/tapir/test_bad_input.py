"""Bad flags, files and addresses: one line on stderr that names it, exit code 2, no change."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.ports import free_port


def tapir(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command to its end; these all end by themselves."""
    return subprocess.run(
        [sys.executable, "-m", "tapir", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def up(*words: str) -> tuple[str, ...]:
    """`tapir up` on ports that nobody uses."""
    return ("up", f"--secure-port={free_port()}", f"--kubelet-port={free_port()}", *words)


def refusal(*words: str, cwd: Path) -> str:
    """Run a command that has to be refused and return its one line."""
    done = tapir(*words, cwd=cwd)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.splitlines()
    return line


def anywhere() -> tuple[str, str]:
    """Return flags for a free port: somebody's etcd may have the usual one."""
    return "--listen-client-urls", f"http://127.0.0.1:{free_port()}"


REQUIRED = {
    "up": [],
    "datastore": ["--endpoint=sqlite:///x.db"],
    "apiserver": [
        f"--{name}=x"
        for name in (
            "etcd-servers",
            "client-ca-file",
            "tls-cert-file",
            "tls-private-key-file",
            "service-account-key-file",
            "service-account-signing-key-file",
        )
    ],
    "scheduler": ["--kubeconfig=x"],
    "controller-manager": ["--kubeconfig=x"],
    "kubelet": [
        "--kubeconfig=x",
        "--tls-cert-file=x",
        "--tls-private-key-file=x",
        "--client-ca-file=x",
    ],
}


@pytest.mark.parametrize("command", list(REQUIRED))
def test_an_unknown_flag_is_named(command: str, tmp_path: Path) -> None:
    line = refusal(command, *REQUIRED[command], "--no-such-flag", cwd=tmp_path)

    assert "--no-such-flag" in line
    assert f"tapir {command} --help" in line


@pytest.mark.parametrize("command", list(REQUIRED))
def test_a_mistyped_flag_is_named_before_the_one_that_is_missing(
    command: str, tmp_path: Path
) -> None:
    assert "--kubecfg" in refusal(command, "--kubecfg=x", cwd=tmp_path)


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        pytest.param(["--bind-address=nonsense"], "--bind-address nonsense", id="no-address"),
        pytest.param(["--bind-address=192.0.2.77"], "--bind-address 192.0.2.77", id="foreign"),
        pytest.param(["--node-ip=192.0.2.77"], "--node-ip 192.0.2.77", id="foreign-node"),
        pytest.param(["--docker-endpoint=nonsense"], "--docker-endpoint nonsense", id="engine"),
        pytest.param(["--secure-port=7001", "--kubelet-port=7001"], "both 7001", id="one-port"),
        pytest.param(["--data-dir=/dev/null/data"], "/dev/null/data", id="no-directory"),
        pytest.param(["--etcd-servers=ftp://x:1"], "ftp://x:1", id="scheme"),
        pytest.param(["--etcd-servers=http://x:port"], "http://x:port", id="no-port"),
        pytest.param(["--etcd-servers=http://x:1/db"], "http://x:1/db", id="path"),
        pytest.param(
            ["--datastore-password-file=x"], "--datastore-password-file is for", id="password"
        ),
        pytest.param(["--etcd-servers=,"], "--etcd-servers", id="no-server"),
        pytest.param(["--kube-apiserver-arg=no-such=1"], "--no-such=1", id="no-flag"),
        pytest.param(["--kubelet-arg=port=x"], "--kubelet-arg: argument --port", id="no-value"),
    ],
)
def test_up_blames_the_flag_and_leaves_nothing_behind(
    flags: list[str], named: str, tmp_path: Path
) -> None:
    ports = [f"--secure-port={free_port()}", f"--kubelet-port={free_port()}"]

    assert named in refusal("up", *ports, *flags, cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_up_names_the_store_that_is_not_there(tmp_path: Path) -> None:
    ports = [f"--secure-port={free_port()}", f"--kubelet-port={free_port()}"]
    store = f"http://127.0.0.1:{free_port()}"

    line = refusal("up", *ports, "--etcd-servers", store, cwd=tmp_path)

    assert f"{store}: Connection refused" in line
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_command_is_named(tmp_path: Path) -> None:
    assert "frobnicate" in refusal("frobnicate", cwd=tmp_path)


@pytest.mark.parametrize(
    ("url", "named"),
    [
        pytest.param("mongodb://host/db", "mongodb", id="unknown-database"),
        pytest.param("nonsense", "nonsense", id="not-a-url"),
        pytest.param("postgresql://127.0.0.1:1/none", "127.0.0.1", id="nobody-listens"),
    ],
)
def test_a_bad_datastore_is_named_and_nothing_is_left_behind(
    url: str, named: str, tmp_path: Path
) -> None:
    line = refusal("datastore", "--endpoint", url, *anywhere(), cwd=tmp_path)

    assert named in line
    assert list(tmp_path.iterdir()) == []


def test_up_passes_on_why_its_datastore_refused(tmp_path: Path) -> None:
    line = refusal(
        *up("--data-dir", "data", "--datastore", "postgresql://127.0.0.1:1/none"), cwd=tmp_path
    )

    assert line.startswith("tapir up: ")
    assert "127.0.0.1" in line
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")

    line = refusal(*up("--data-dir", "."), cwd=tmp_path)

    assert "not a tapir data directory" in line
    assert "--data-dir" in line
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_directory_newer_than_the_program_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "tapir.json").write_text(json.dumps({"format": 99}))

    line = refusal(*up("--data-dir", "."), cwd=tmp_path)

    assert "format 99" in line
    assert [path.name for path in tmp_path.iterdir()] == ["tapir.json"]


def test_a_file_that_is_not_a_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "note.db").write_text("shopping list, much longer than a hundred bytes. " * 9)
    before = (tmp_path / "note.db").read_bytes()

    line = refusal("datastore", "--endpoint", "sqlite:///note.db", *anywhere(), cwd=tmp_path)

    assert "note.db" in line
    assert (tmp_path / "note.db").read_bytes() == before


@pytest.mark.parametrize("flag", ["--secure-port", "--kubelet-port"])
def test_a_port_in_use_is_named(flag: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        line = refusal(*up(flag, port, "--container-runtime=simulated"), cwd=tmp_path)

    assert port in line
    assert flag in line


def test_a_datastore_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"

        line = refusal(
            *("datastore", "--endpoint=sqlite:///x.db", "--listen-client-urls", url), cwd=tmp_path
        )

    assert url.removeprefix("http://") in line


def test_a_missing_kubeconfig_is_named(tmp_path: Path) -> None:
    for command in ("scheduler", "controller-manager"):
        line = refusal(command, "--kubeconfig", "absent.kubeconfig", cwd=tmp_path)
        assert "absent.kubeconfig" in line


def test_a_node_name_that_kubernetes_would_refuse_is_named(tmp_path: Path) -> None:
    assert "My_Node" in refusal(*up("--node-name", "My_Node"), cwd=tmp_path)


def test_the_proxy_is_refused_by_name(tmp_path: Path) -> None:
    assert "not part of this version" in refusal("proxy", cwd=tmp_path)


def test_the_version_is_printed(tmp_path: Path) -> None:
    done = tapir("version", cwd=tmp_path)

    assert done.returncode == 0
    assert done.stdout.startswith("tapir 0.")


def test_kubeconfig_before_the_first_start_says_what_to_do(tmp_path: Path) -> None:
    assert "tapir up" in refusal("kubeconfig", cwd=tmp_path)
