"""Our flags are a real etcd's: every name, every default, and what is refused."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from datastore.command import config_of
from datastore.errors import ConfigError
from datastore.flags.table import FLAGS
from tests.support.datastore import REPOSITORY
from tests.support.etcd import etcd_binary

SECONDS = 60
# Shown by etcd's help otherwise than written: a number of a Go constant, or nothing at all.
UNTOLD = {"max-concurrent-streams", "advertise-client-urls", "data-dir", "initial-cluster"}
OURS = {"log-format"}  # docs/datastore.md says why


def etcd(
    *words: str, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [etcd_binary().path, *words],
        env=environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def ours(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "datastore", *words],
        env={"PYTHONPATH": str(REPOSITORY), **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.fixture(scope="module")
def help_text() -> str:
    if etcd_binary().version < (3, 6):
        pytest.skip(f"the flags are etcd 3.6's, and this is {etcd_binary()}")
    return etcd("--help").stdout


def test_every_flag_of_etcd_is_known(help_text: str) -> None:
    names = set(re.findall(r"^  --([a-z0-9-]+)", help_text, re.MULTILINE))

    assert len(names) > 100
    assert names - set(FLAGS) == set()


def test_defaults_are_etcds(help_text: str) -> None:
    told = dict(re.findall(r"^  --([a-z0-9-]+) '?([^'\n]+)'?$", help_text, re.MULTILINE))
    wrong = {
        name: (text, FLAGS[name].default)
        for name, text in told.items()
        if name not in UNTOLD | OURS and FLAGS[name].kind.parse(text) != default_of(name)
    }

    assert wrong == {}


def default_of(name: str) -> object:
    return FLAGS[name].kind.parse(FLAGS[name].default)


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        (["--no-such-flag"], {}),
        (["positional"], {}),
        (["---name"], {}),
        (["--name"], {}),
        (["--client-cert-auth", "true"], {}),
        (["--client-cert-auth=yes"], {}),
        (["--max-txn-ops=-1"], {}),
        (["--grpc-keepalive-timeout=5"], {}),
        (["--listen-client-urls=ftp://127.0.0.1:2379"], {}),
        (["--listen-client-urls=http://127.0.0.1"], {}),
        (["--listen-client-urls=https://127.0.0.1:0", "--advertise-client-urls=http://x:1"], {}),
        (["--advertise-client-urls=10.0.0.5:2379"], {}),
        (["--advertise-client-urls=http://10.0.0.5"], {}),
        (["--advertise-client-urls=http://10.0.0.5:2379/etcd"], {}),
        (["--advertise-client-urls=http://:2379"], {}),
        (["--initial-advertise-peer-urls=10.0.0.5:2380"], {}),
        (["--log-level=loud"], {}),
        (["--log-format=xml"], {}),
        (["--tls-min-version=TLS1.1"], {}),
        (["--tls-min-version=TLS1.3", "--tls-max-version=TLS1.2"], {}),
        (["--auto-compaction-mode=sometimes"], {}),
        (["--auto-compaction-retention=soon"], {}),
        (["--election-timeout=100"], {}),
        (["--cipher-suites=TLS_NONSENSE", "--cert-file=x", "--key-file=y"], {}),
        (
            [
                "--experimental-watch-progress-notify-interval=5s",
                "--watch-progress-notify-interval=5s",
            ],
            {},
        ),
        (["--config-file=/no/such/file"], {}),
        (["--name=x"], {"ETCD_NAME": "x"}),
        ([], {"ETCD_MAX_TXN_OPS": "x"}),
        ([], {"ETCD_CONFIG_FILE": "/no/such/file"}),
    ],
)
def test_what_etcd_refuses_we_refuse(
    words: list[str],
    environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ConfigError) as caught:
        config_of("datastore", words)
    assert len(str(caught.value).splitlines()) == 1
    assert etcd(*words, cwd=tmp_path, **environment).returncode != 0


def test_the_version_is_printed_as_etcd_does() -> None:
    theirs, mine = etcd("--version").stdout, ours("--version").stdout

    assert [line.partition(":")[0] for line in mine.splitlines()] == [
        line.partition(":")[0] for line in theirs.splitlines()
    ]
    assert mine.splitlines()[0] == "etcd Version: 3.6.14"


def test_the_version_comes_before_a_conflict() -> None:
    for program in (etcd, ours):
        done = program("--version", "--name=x", ETCD_NAME="y")
        assert done.returncode == 0
        assert done.stdout.startswith("etcd Version: 3.6")


@pytest.mark.parametrize("word", ["-h", "-help", "--help"])
def test_the_help_has_every_flag(word: str) -> None:
    done = ours(word)

    assert done.returncode == 0
    shown = set(re.findall(r"--([a-z0-9-]+)", done.stdout))
    assert {flag.name for flag in FLAGS.values() if not flag.in_files_only} - shown == set()
