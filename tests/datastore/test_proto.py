"""The committed stubs are what grpcio-tools makes of the .proto files."""

from importlib.metadata import version
from pathlib import Path

import pytest
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "proto" / "etcd").glob("*.proto"))
WITH_SERVICES = ("rpc", "lock", "election")


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generate every stub into a directory of its own."""
    out = tmp_path_factory.mktemp("stubs")
    outputs = [f"--{kind}_out={out}" for kind in ("python", "pyi", "grpc_python")]
    names = [str(source.relative_to(ROOT)) for source in SOURCES]
    assert protoc.main(["protoc", f"-I{ROOT}", *outputs, *names]) == 0
    return out / "proto" / "etcd"


def committed() -> list[str]:
    """Return the names of the stubs that the repository holds."""
    names = [f"{source.stem}_pb2{end}" for source in SOURCES for end in (".py", ".pyi")]
    return names + [f"{stem}_pb2_grpc.py" for stem in WITH_SERVICES]


def test_there_is_a_source_for_every_stub() -> None:
    found = {path.name for path in (ROOT / "proto" / "etcd").glob("*_pb2*") if path.is_file()}

    assert found == set(committed())


@pytest.mark.parametrize("name", committed())
def test_the_stub_is_what_its_source_makes(generated: Path, name: str) -> None:
    made = (generated / name).read_text()

    assert (ROOT / "proto" / "etcd" / name).read_text() == made, (
        f"regenerate proto/etcd/{name} with grpcio-tools {version('grpcio-tools')}"
    )
