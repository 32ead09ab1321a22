"""`kubectl explain --recursive` of everything that `kubectl api-resources` lists."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from control_plane.api.schema import REFERENCE_PREFIX, schema
from tests.support.apiserver import ThreadedApiServer
from tests.support.datastore import Datastore

KUBECTL = Path(sys.executable).with_name("kubectl")
FIELD = re.compile(r"^( +)(\S+)\t<(.*)>( -required-)?$", re.MULTILINE)


class Explained(NamedTuple):
    """What kubectl says of a kind: its description, and (depth, name, whether it is required)."""

    version: str
    description: str
    fields: list[tuple[int, str, bool]]


class Kubectl:
    """kubectl as the administrator."""

    def __init__(self, kubeconfig: Path, home: Path) -> None:
        self._words = [str(KUBECTL), f"--kubeconfig={kubeconfig}"]
        self._home = home

    def __call__(self, *words: str) -> str:
        done = subprocess.run(
            [*self._words, *words], capture_output=True, text=True, check=False, timeout=100,
            env={**os.environ, "HOME": str(self._home)},
        )  # fmt: skip
        assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"
        return done.stdout

    def kinds(self) -> list[tuple[str, str, str]]:
        """Return (plural, apiVersion, kind) of each resource."""
        rows = (line.split() for line in self("api-resources", "--no-headers").splitlines())
        return [(row[0], row[-3], row[-1]) for row in rows]

    def explain(self, name: str, api_version: str) -> Explained:
        text = self("explain", name, f"--api-version={api_version}", "--recursive")
        head, _, fields = text.partition("FIELDS:\n")
        version = re.search(r"VERSION: +(\S+)", head)
        assert version is not None
        described = head.partition("DESCRIPTION:\n")[2]
        found = [(len(m[1]) // 2, m[2], m[4] is not None) for m in FIELD.finditer(fields)]
        return Explained(version[1], " ".join(described.split()), found)


def fields_of(
    definition: Any, depth: int = 1, above: tuple[int, ...] = ()
) -> Iterator[tuple[int, str, bool]]:
    """Yield the fields of a definition as kubectl shows them: none of one within itself."""
    if id(definition) in above:
        return
    required = definition.get("required") or ()
    for name, node in sorted((definition.get("properties") or {}).items()):
        yield depth, name, name in required
        yield from fields_of(element_of(node), depth + 1, (*above, id(definition)))


def element_of(node: Any) -> Any:
    """Return the definition of a field, or of the items of a list or map of it."""
    while True:
        if "$ref" in node:
            node = schema().definitions[node["$ref"].removeprefix(REFERENCE_PREFIX)]
        elif isinstance(node.get("items"), dict):
            node = node["items"]
        elif isinstance(node.get("additionalProperties"), dict):
            node = node["additionalProperties"]
        else:
            return node


@pytest.fixture
def kubectl(tmp_path: Path) -> Iterator[Kubectl]:
    with Datastore() as store, ThreadedApiServer(store.endpoint, tmp_path / "pki") as server:
        yield Kubectl(server.kubeconfig, tmp_path)


def test_every_resource_is_explained_as_the_schema_describes_it(kubectl: Kubectl) -> None:
    kinds = kubectl.kinds()
    assert len(kinds) >= 60
    with ThreadPoolExecutor(2) as pool:
        explained = list(pool.map(lambda row: kubectl.explain(*row[:2]), kinds))
    for (name, api_version, kind), shown in zip(kinds, explained, strict=True):
        definition = schema().definition_for(api_version, kind)
        assert definition is not None, name
        assert shown.version == api_version.rpartition("/")[2], name
        assert shown.description == " ".join(definition["description"].split()), name
        assert shown.fields == list(fields_of(definition)), name
