"""`make storage-suite`: the storage tests of k8s.io/apiserver, with our datastore as their etcd.

The tests are upstream's, from the published Go module; only the package that starts a server for
each of them is ours (testserver.go). Builds once into build/storage-suite. Exit code 0 when all
tests pass.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.support.etcd import etcd_binary

SOURCE = Path(__file__).parent
REPOSITORY = SOURCE.parents[2]
BUILD = REPOSITORY / "build" / "storage-suite"
MODULE = "k8s.io/apiserver"
REPLACED = "pkg/storage/etcd3/testserver/test_server.go"
PACKAGES = {"etcd3": f"{MODULE}/pkg/storage/etcd3", "cacher": f"{MODULE}/pkg/storage/cacher"}
LISTEN = "--listen-client-urls=http://127.0.0.1:{port}"
MINUTES = 30


@contextmanager
def _sqlite() -> Iterator[str]:
    yield _ours("sqlite:///{dir}/store.db")


@contextmanager
def _etcd() -> Iterator[str]:
    advertise = "--advertise-client-urls=http://127.0.0.1:{port}"
    peer = "--listen-peer-urls=http://127.0.0.1:0 --unsafe-no-fsync --log-level=error"
    yield f"{etcd_binary().path} --data-dir={{dir}}/etcd {LISTEN} {advertise} {peer}"


STORES: Mapping[str, Callable[[], AbstractContextManager[str]]] = {
    "sqlite": _sqlite,
    "etcd": _etcd,
}


def _ours(endpoint: str) -> str:
    return f"{sys.executable} -m datastore --endpoint={endpoint} {LISTEN} --log-level=warn"


def main() -> int:
    """Run the chosen packages on the chosen store."""
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}", description=__doc__)
    parser.add_argument("packages", nargs="*", choices=[[], *PACKAGES], help="default: all")
    parser.add_argument("--store", choices=STORES, default="sqlite")
    parser.add_argument("--run", default=".", help="only tests that match this expression")
    args = parser.parse_args()
    if shutil.which("go") is None:
        sys.exit("the storage suite needs Go: install it")
    with STORES[args.store]() as server:
        codes = [_run(name, server, args.run) for name in args.packages or PACKAGES]
    return max(codes)


def _run(name: str, server: str, wanted: str) -> int:
    binary = _built(name)
    argv = [str(binary), "-test.v", f"-test.run={wanted}", f"-test.timeout={MINUTES}m"]
    log = BUILD / f"{name}.log"
    with log.open("w") as output:
        code = subprocess.run(
            argv,
            cwd=REPOSITORY,
            env={**os.environ, "STORAGE_SERVER": server},
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
    lines = log.read_text().splitlines()
    failed = [line for line in lines if line.lstrip().startswith("--- FAIL")]
    passed = sum(line.startswith("--- PASS") for line in lines)
    skipped = sum(line.startswith("--- SKIP") for line in lines)
    said = [*failed, f"{name}: {passed} passed, {skipped} skipped, exit code {code} ({log})"]
    print("\n".join(said), flush=True)  # noqa: T201
    return code


def _built(name: str) -> Path:
    """Build a package's tests in a copy of their module that has our testserver in it."""
    inputs = b"".join((SOURCE / file).read_bytes() for file in ("go.sum", "testserver.go"))
    target = BUILD / f"{name}-{hashlib.sha256(inputs).hexdigest()[:12]}.test"
    if target.exists():
        return target
    module = BUILD / "module"
    module.mkdir(parents=True, exist_ok=True)
    for file in ("go.mod", "go.sum"):
        shutil.copy(SOURCE / file, module)
    copied = module / "apiserver"
    shutil.rmtree(copied, ignore_errors=True)
    _go(module, "mod", "download", MODULE)
    listed = _go(module, "list", "-m", "-f", "{{.Dir}}", MODULE)
    shutil.copytree(listed.strip(), copied, copy_function=shutil.copyfile)
    for directory in (copied, *copied.rglob("*")):
        directory.chmod(0o755)
    shutil.copyfile(SOURCE / "testserver.go", copied / REPLACED)
    _go(module, "mod", "edit", f"-replace={MODULE}=./apiserver")
    _go(module, "test", "-c", "-o", str(target), PACKAGES[name])
    return target


def _go(directory: Path, *words: str) -> str:
    done = subprocess.run(
        ["go", *words], cwd=directory, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"go {' '.join(words)}: {done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
