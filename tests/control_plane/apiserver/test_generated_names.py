"""Names that the server makes: tried again when one is taken, and given up in upstream's words."""

import uuid
from collections.abc import Iterator

import pytest

from control_plane.apiserver.registry import registry
from tests.control_plane.apiserver.objects import config_map
from tests.support.raw_api import RawApi

# no store has a say in this
pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


@pytest.fixture
def path(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


def _drawing(monkeypatch: pytest.MonkeyPatch, endings: Iterator[str]) -> None:
    monkeypatch.setattr(registry, "generate_name", lambda prefix: prefix + next(endings))


def test_a_name_that_is_taken_is_drawn_again(
    api: RawApi, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.post(path, config_map("g-taken"))
    _drawing(monkeypatch, iter(["taken"] * 7 + ["free"]))
    answer = api.post(path, {"metadata": {"generateName": "g-"}})
    assert (answer.code, answer.json["metadata"]["name"]) == (201, "g-free")


def test_eight_names_that_are_taken_are_enough(
    api: RawApi, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.post(path, config_map("g-taken"))
    _drawing(monkeypatch, iter(["taken"] * 8))
    answer = api.post(path, {"metadata": {"generateName": "g-"}})
    assert (answer.code, answer.reason) == (409, "AlreadyExists")
    assert answer.message == (
        'configmaps "g-taken" already exists, the server was not able to generate a unique name '
        "for the object"
    )
    assert answer.json["details"]["retryAfterSeconds"] == 1


def test_a_given_name_wins(api: RawApi, path: str) -> None:
    answer = api.post(path, {"metadata": {"name": "given", "generateName": "g-"}})
    assert answer.json["metadata"]["name"] == "given"
    bad = api.post(path, {"metadata": {"name": "given-2", "generateName": "G_"}})
    assert (bad.code, bad.reason) == (422, "Invalid")
    assert "metadata.generateName" in bad.message


def test_a_long_prefix_is_cut(api: RawApi, path: str) -> None:
    prefix = "p" * 80
    name = api.post(path, {"metadata": {"generateName": prefix}}).json["metadata"]["name"]
    assert name[:58] == prefix[:58]
    assert len(name) == 63


def test_a_limit_range_needs_no_name(api: RawApi, namespace: str) -> None:
    answer = api.post(f"/api/v1/namespaces/{namespace}/limitranges", {"spec": {"limits": []}})
    assert answer.code == 201, answer.text
    name = answer.json["metadata"]["name"]
    assert str(uuid.UUID(name)) == name
    refused = api.post(f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {}})
    assert refused.message.endswith(
        "metadata.name: Required value: name or generateName is required"
    )
