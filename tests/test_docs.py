"""The documents say what the code does: links resolve, flags are listed, bounds are the code's."""

import argparse
import ast
import re
from pathlib import Path

import pytest

from tapir.commands import COMMANDS
from tests import api_page, flags_page, kubernetes_page

ROOT = Path(__file__).parents[1]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
LINK = re.compile(r"\]\((?!https?://)([^)#]+)")
BOUND = re.compile(r"`([A-Z_]+)` ([\d,]+)( MiB)?")
SOURCE = re.compile(r"\(`([\w/]+\.py)`\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    broken = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]

    assert broken == []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_flag_is_in_the_reference(command: object) -> None:
    parser = argparse.ArgumentParser()
    command.add_flags(parser)  # type: ignore[attr-defined]
    flags = {option for action in parser._actions for option in action.option_strings}
    documented = set(re.findall(r"--[a-z0-9-]+", (ROOT / "docs/reference/flags.md").read_text()))

    assert flags - documented - {"-h", "--help"} == set()


def test_the_reference_of_flags_is_what_the_parsers_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)  # it is a flag's default
    assert flags_page.PAGE.read_text() == flags_page.page()


def test_every_call_and_field_is_in_the_reference() -> None:
    assert api_page.PAGE.read_text() == api_page.page()


def test_every_resource_is_in_the_reference() -> None:
    assert kubernetes_page.PAGE.read_text() == kubernetes_page.page()


def documented_bounds() -> list[tuple[str, str, int]]:
    """(file, constant, value) of every bound in the flow document."""
    rows = [row for row in (ROOT / "docs/flow.md").read_text().splitlines() if SOURCE.search(row)]
    return [
        (source, name, int(number.replace(",", "")) * (2**20 if mebi else 1))
        for row in rows
        for source in SOURCE.findall(row)
        for name, number, mebi in BOUND.findall(row)
    ]


@pytest.mark.parametrize(("source", "name", "value"), documented_bounds())
def test_a_queues_bound_is_the_one_in_the_code(source: str, name: str, value: int) -> None:
    tree = ast.parse((ROOT / source).read_text())
    found = {
        target.id: eval(compile(ast.Expression(node.value), source, "eval"), {})
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id == name
    }

    assert found == {name: value}
