"""Random strategic merge patches give what kubectl gives, directives and refusals included."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from control_plane.api.errors import ApiError
from control_plane.api.field_validation import Directive, Expected, check_patched
from control_plane.api.patch import PATCHES, STRATEGIC, object_type
from control_plane.api.semantics import semantically_equal
from tests.control_plane.api.kubectl_patch import kubectl_patch
from tests.control_plane.api.strategic_merge_cases import POD

TRIES = 60  # of kubectl, for a patch in which several things are wrong

Patch = dict[str, Any]


class Maker:
    """Makes patches of the pod of the fixed cases."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def pod(self) -> Patch:
        metadata: Patch = {}
        if self._maybe(0.5):
            metadata["labels"] = self._map(["app", "tier", "new"])
        if self._maybe(0.5):
            metadata["finalizers"] = self._some(["a/one", "b/two", "c/three", "d/four"])
        elif self._maybe(0.5):
            # upstream merges a list and deletes from it in no fixed order, so never both
            deleted = self._some(["a/one", "b/two", "c/three"])
            metadata["$deleteFromPrimitiveList/finalizers"] = deleted
        if self._maybe(0.3):
            order = self._some(["a/one", "b/two", "c/three", "d/four"])
            metadata["$setElementOrder/finalizers"] = order
        spec: Patch = {}
        self._list(spec, "containers", "name", ["one", "two", "three"], self._container)
        self._list(spec, "volumes", "name", ["v1", "v2", "v3"], self._volume)
        self._list(spec, "imagePullSecrets", "name", ["s1", "s2", "s3"], dict)
        if self._maybe(0.3):
            spec["nodeSelector"] = self._map(["disk", "new"])
        return {"metadata": metadata, "spec": spec}

    def _maybe(self, chance: float) -> bool:
        return self._random.random() < chance

    def _some(self, items: list[Any]) -> list[Any]:
        return self._random.sample(items, self._random.randint(0, len(items)))

    def _map(self, keys: list[str]) -> Patch:
        made: Patch = {key: self._random.choice([None, "x", "y"]) for key in self._some(keys)}
        if self._maybe(0.1):
            made["$patch"] = self._random.choice(["replace", "delete"])
        return made

    def _list(
        self, owner: Patch, field: str, key: str, names: list[Any], make: Callable[[], Patch]
    ) -> None:
        items: list[Patch] = []
        if self._maybe(0.7):
            for name in self._some(names):
                rest = {"$patch": "delete"} if self._maybe(0.2) else make()
                items.append({key: name, **rest})
            if self._maybe(0.05):
                items.append({"$patch": "replace"})
            owner[field] = items
        if self._maybe(0.4):
            live = [item[key] for item in items if item.get("$patch") is None]
            order = live + self._some([name for name in names if name not in live])
            if self._maybe(0.3):
                self._random.shuffle(order)
            owner[f"$setElementOrder/{field}"] = [{key: name} for name in order]

    def _container(self) -> Patch:
        made: Patch = {"image": self._random.choice(["a", "b"])} if self._maybe(0.6) else {}
        if self._maybe(0.3):
            made["args"] = self._random.choice([None, ["q"], []])
        values: list[Patch] = [{"value": "7"}, {"value": None}]
        self._list(made, "env", "name", ["A", "B", "C", "D"], lambda: self._random.choice(values))
        self._list(made, "ports", "containerPort", [80, 443, 9], lambda: {"name": "n"})
        return made

    def _volume(self) -> Patch:
        sources: list[Patch] = [{"emptyDir": {}}, {"hostPath": {"path": "/h"}}, {}]
        source = self._random.choice(sources)
        return {**source, "$retainKeys": ["name", *source]} if self._maybe(0.5) else dict(source)


def clean(obj: Patch) -> Patch:
    """Return the object without what typed decoding drops: nulls, mostly."""
    return check_patched(obj, Expected("v1", "Pod"), Directive.IGNORE, "").obj


def merged(patch: Patch) -> Patch | str:
    """Return our merge, or the text of its refusal."""
    try:
        return PATCHES[STRATEGIC].apply(POD, patch, object_type("v1", "Pod"))
    except ApiError as error:
        return f"error: {error.message}".strip()


def refusals(directory: Path, patch: Patch, expected: str) -> set[str]:
    """Return what kubectl says: of several errors the one that its map happens to give first."""
    said: set[str] = set()
    for _ in range(TRIES):
        said.add(kubectl_patch(directory, POD, patch).stderr.strip())
        if expected in said:
            break
    return said


@pytest.mark.parametrize("seed", range(60))
def test_a_random_patch_merges_as_kubectl_merges_it(tmp_path: Path, seed: int) -> None:
    patch = Maker(seed).pod()
    ours = merged(patch)
    if isinstance(ours, str):
        assert ours in refusals(tmp_path, patch, ours)
        return
    answer = kubectl_patch(tmp_path, POD, patch)
    assert answer.returncode == 0, answer.stderr
    theirs = clean(json.loads(answer.stdout))
    assert semantically_equal(clean(ours), theirs), theirs
