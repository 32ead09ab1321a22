"""docs/datastore.md does what it says: its commands and its manifest are run.

Only what belongs to the reader's machine is replaced: ports, and the directories of Kubernetes.
"""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from control_plane.apiserver.etcd.endpoints import EtcdEndpoints
from tests.datastore.flags.test_settings import KUBEADM
from tests.support.apiserver import ApiServer
from tests.support.certificates import Authority
from tests.support.ports import free_port
from tests.support.secure_server import ETCD, SecureServer
from tests.support.wait import wait_until

PAGE = Path(__file__).parents[1] / "docs" / "datastore.md"
BINARIES = Path(sys.executable).parent
SECONDS = 60.0
READY = "ready to serve client requests"
FILES = ("cacert", "cert", "key")
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{BINARIES}{os.pathsep}{os.environ['PATH']}",
    "ETCDCTL_DIAL_TIMEOUT": "30s",
    "ETCDCTL_COMMAND_TIMEOUT": "30s",
}


def blocks(language: str, section: str) -> list[str]:
    """The code of one language in a section."""
    text = PAGE.read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def replaced(text: str, words: Mapping[str, object]) -> str:
    for old, new in words.items():
        assert old in text, f"{old} is no longer on the page"
        text = text.replace(old, str(new))
    return text


@contextmanager
def running(script: str, directory: Path, name: str = "script") -> Iterator[Path]:
    """Run commands, which must succeed, and end what they have left in the background.

    Yields the file with what they have printed.
    """
    log = directory / f"{name}.log"
    with log.open("w") as output:
        shell = subprocess.Popen(
            ["bash", "-euc", script],
            cwd=directory,
            env=ENVIRONMENT,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            assert shell.wait(SECONDS) == 0, log.read_text()
            yield log
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)


def etcdctl(*words: str) -> str:
    done = subprocess.run(
        [BINARIES / "etcdctl", *words],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_a_store_behind_tls_serves_an_api_server(tmp_path: Path) -> None:
    port = free_port()
    (script,) = blocks("sh", "TLS")
    with running(replaced(script, {"2379": port}), tmp_path) as log:
        assert "is healthy" in log.read_text()
        files = [str(tmp_path / name) for name in ("ca.crt", "client.crt", "client.key")]
        endpoints = EtcdEndpoints((f"https://127.0.0.1:{port}",), *files)

        async with ApiServer("", tmp_path / "cluster", etcd=endpoints):
            flags = [f"--{name}={file}" for name, file in zip(FILES, files, strict=True)]
            keys = etcdctl(
                *(f"--endpoints=https://127.0.0.1:{port}", *flags),
                *("get", "/registry/namespaces", "--prefix", "--keys-only"),
            )

    assert "/registry/namespaces/default" in keys.split()


def manifest() -> list[str]:
    """The command of the manifest, without what stands in the place of `etcd`."""
    (text,) = blocks("yaml", "Under kubeadm, in etcd's place")
    command: list[str] = yaml.safe_load(text)["spec"]["containers"][0]["command"]
    assert command[:2] == ["/opt/tapir/bin/tapir", "datastore"]
    return command[2:]


def test_the_manifest_has_kubeadms_flags() -> None:
    def without_name(flags: list[str]) -> list[str]:
        return [flag.replace("node-1", "node") for flag in flags]

    assert without_name(manifest()) == KUBEADM


@pytest.fixture
def kubernetes(tmp_path: Path) -> tuple[Authority, dict[str, object]]:
    """The files that kubeadm makes, and where they are instead."""
    directory = tmp_path / "pki"
    directory.mkdir()
    authority = Authority(directory, "ca")
    authority.issue("server", ["127.0.0.1", "127.0.0.2"])
    return authority, {"/etc/kubernetes/pki/etcd": directory, "/var/lib/etcd": tmp_path / "etcd"}


def test_the_manifests_command_serves_as_etcd_would(
    tmp_path: Path, kubernetes: tuple[Authority, dict[str, object]]
) -> None:
    authority, places = kubernetes
    client, metrics = free_port(), free_port()
    ports = {"2379": client, "2381": metrics, "10.0.0.5": "127.0.0.2"}
    command = " ".join(["tapir", "datastore", *manifest()])
    pair = authority.issue("apiserver-etcd-client")
    with running(f"{replaced(command, {**ports, **places})} &", tmp_path) as log:
        wait_until(lambda: READY in log.read_text(), READY)
        for host in ("127.0.0.1", "127.0.0.2"):
            said = etcdctl(
                *(f"--endpoints=https://{host}:{client}", f"--cacert={authority.certificate}"),
                *(f"--cert={pair.certificate}", f"--key={pair.key}", "put", "a", host),
            )
            assert said == "OK\n"
        for probe in ("livez", "readyz", "health"):
            with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/{probe}") as answer:
                assert answer.status == 200

    assert (tmp_path / "etcd" / "store.db").exists()


def test_the_keys_of_an_etcd_are_taken_along(
    tmp_path: Path, kubernetes: tuple[Authority, dict[str, object]]
) -> None:
    _, places = kubernetes
    pki = Path(str(places["/etc/kubernetes/pki/etcd"]))
    flags = [f"--cert-file={pki / 'server.crt'}", f"--key-file={pki / 'server.key'}"]
    copy, install = blocks("sh", "Under kubeadm, in etcd's place")
    (tmp_path / "etcd").mkdir()
    with SecureServer(ETCD, tmp_path, [*flags, f"--trusted-ca-file={pki / 'ca.crt'}"]) as etcd:
        for key in ("/registry/pods/a", "/registry/pods/b", "/registry/events/c"):
            etcdctl("--endpoints", etcd.plain, "put", key, "value")
        here = {":2379": f":{etcd.port}", "/etc/kubernetes/pki/etcd": pki, "/var/lib": tmp_path}
        with running(replaced(copy, here), tmp_path, "copy"):
            assert (tmp_path / "etcd.new" / "store.db").exists()
    with running(replaced(install, {"/var/lib": tmp_path}), tmp_path, "install"):
        assert (tmp_path / "etcd.old").exists()

    assert keys_and_revision(tmp_path / "etcd" / "store.db") == (
        ["/registry/events/c", "/registry/pods/a", "/registry/pods/b"],
        4,
    )


def keys_and_revision(path: Path) -> tuple[list[str], int]:
    """What a server finds in a file."""
    port = free_port()
    flags = f"--endpoint=sqlite:///{path} --listen-client-urls=http://127.0.0.1:{port}"
    with running(f"tapir datastore {flags} &", path.parent) as log:
        wait_until(lambda: READY in log.read_text(), READY)
        address = f"--endpoints=127.0.0.1:{port}"
        found: Any = etcdctl(address, "get", "", "--prefix", "--keys-only", "--write-out=fields")

    return re.findall(r'"Key" : "(.*)"', found), int(re.findall(r'"Revision" : (\d+)', found)[0])
