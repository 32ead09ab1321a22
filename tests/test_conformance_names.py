"""Which of upstream's conformance tests have a test here: the names are kept in a list.

conformance.txt names those that ask something of the API machinery, of kinds and of what admits
them; all that needs nodes is in other tests.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent
LISTED = TESTS / "control_plane" / "conformance.txt"


def marked() -> Iterator[str]:
    """The names that tests are marked with."""
    for path in (TESTS / "control_plane").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                name = node.value
                if name.startswith("[sig-") and name.endswith("[Conformance]"):
                    yield name


def test_every_conformance_test_of_the_list_has_a_test_of_its_name() -> None:
    assert sorted(set(marked())) == LISTED.read_text().splitlines()
