"""The generated modules of OpenAPI's messages are those of the proto files."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FOLDER = "control_plane/api/openapi"


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_the_generated_module_is_that_of_the_proto_file(tmp_path: Path, version: str) -> None:
    source = f"{FOLDER}/openapi_{version}.proto"
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", "-I.", f"--python_out={tmp_path}", source],
        cwd=ROOT,
        check=True,
    )

    made = (tmp_path / source).with_name(f"openapi_{version}_pb2.py").read_bytes()
    assert made == (ROOT / FOLDER / f"openapi_{version}_pb2.py").read_bytes()
