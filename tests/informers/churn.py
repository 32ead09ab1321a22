"""Writes that keep a collection moving: created, changed, relabelled and deleted at random."""

import random
import time
from collections import Counter
from typing import Any

from tests.support.raw_api import Answer, RawApi

NAMESPACES = ("churn-a", "churn-b")
NAMES = 200
SELECTED = "follow=yes"


class Churn:
    """One writer; `seed` fixes what it writes, `codes` counts what the server answered."""

    def __init__(self, api: RawApi, seed: int, per_second: float) -> None:
        self._api = api
        self._random = random.Random(seed)
        self._pause = 1.0 / per_second
        self._number = 0
        self.codes: Counter[int] = Counter()

    def prepare(self) -> None:
        """Make the namespaces."""
        for name in NAMESPACES:
            self._api.post("/api/v1/namespaces", {"metadata": {"name": name}})

    def run(self, until: float) -> None:
        """Write until that moment of the monotonic clock."""
        due = time.monotonic()
        while due < until:
            self._write()
            due = max(due + self._pause, time.monotonic() - 1.0)
            time.sleep(max(0.0, due - time.monotonic()))

    def _write(self) -> None:
        self._number += 1
        try:
            answer = self._chosen()
        except OSError:  # requests' errors are: the server is being replaced
            self.codes[0] += 1
            time.sleep(0.2)
            return
        self.codes[answer.code] += 1

    def _chosen(self) -> Answer:
        collection = f"/api/v1/namespaces/{self._random.choice(NAMESPACES)}/configmaps"
        name = f"c{self._random.randrange(NAMES)}"
        chance = self._random.random()
        if chance < 0.25:
            return self._api.delete(f"{collection}/{name}")
        if chance < 0.26:
            return self._api.delete(f"{collection}?labelSelector=tenth%3Dyes")
        body = self._body(name)
        changed = self._api.patch(f"{collection}/{name}", body)
        return self._api.post(collection, body) if changed.code == 404 else changed

    def _body(self, name: str) -> dict[str, Any]:
        labels = {
            "follow": self._random.choice(("yes", "no")),
            "tenth": self._random.choice(("yes", *("no",) * 9)),
        }
        data = {"number": str(self._number), "text": "x" * self._random.randrange(2_000)}
        return {"metadata": {"name": name, "labels": labels}, "data": data}
