"""Random histories against a model that is a list of dictionaries, one a revision."""

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from datastore.backends import sqlite_transaction
from datastore.mvcc.model import DeleteRange, Put, RangeQuery, Txn, in_range
from tests.datastore.core import Core

KEYS = [b"a", b"a\0", b"b", b"b/1", b"b/2", b"c", b"\xff", b"\0", b"\xff\xff\x00"]
SEEDS = range(6)


@dataclass
class Model:
    """Every state that the store has had: key -> (value, create, mod, version)."""

    states: list[dict[bytes, tuple[bytes, int, int, int]]] = field(default_factory=lambda: [{}, {}])

    @property
    def revision(self) -> int:
        return len(self.states) - 1

    def apply(self, ops: list[Put | DeleteRange]) -> None:
        """Run the operations of one request: one revision if they change anything."""
        state, revision = dict(self.states[-1]), len(self.states)
        changed = False
        for op in ops:
            changed = self._run(state, op, revision) or changed
        if changed:
            self.states.append(state)

    @staticmethod
    def _run(state: dict[bytes, Any], op: Put | DeleteRange, revision: int) -> bool:
        if isinstance(op, Put):
            _, create, _, version = state.get(op.key, (b"", revision, 0, 0))
            state[op.key] = (op.value, create, revision, version + 1)
            return True
        gone = [key for key in state if in_range(key, op.key, op.end)]
        for key in gone:
            del state[key]
        return bool(gone)

    def live(self, revision: int) -> list[tuple[bytes, bytes, int, int, int]]:
        return [(key, *value) for key, value in sorted(self.states[revision].items())]


def random_op(chance: random.Random) -> Put | DeleteRange:
    if chance.random() < 0.7:
        return Put(chance.choice(KEYS), chance.randbytes(3))
    return DeleteRange(chance.choice(KEYS), chance.choice([b"", b"", b"\0", chance.choice(KEYS)]))


def random_request(chance: random.Random) -> tuple[Any, list[Put | DeleteRange]]:
    """Return a request and the operations that it comes to."""
    if chance.random() < 0.7:
        op = random_op(chance)
        return op, [op]
    ops: list[Put | DeleteRange] = [
        Put(key, chance.randbytes(2)) for key in chance.sample(KEYS, chance.randrange(4))
    ]
    return Txn((), tuple(ops), ()), ops


def fill(core: Core, model: Model, chance: random.Random, batches: int) -> None:
    """Commit random batches to both."""
    for _ in range(batches):
        drawn = [random_request(chance) for _ in range(chance.randrange(1, 8))]
        core.commit(*(request for request, _ in drawn), wants_values=chance.random() < 0.5)
        for _, ops in drawn:
            model.apply(ops)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_revision_reads_as_the_model(core: Core, seed: int) -> None:
    chance, model = random.Random(seed), Model()

    fill(core, model, chance, 25)

    assert core.revision() == model.revision
    for revision in range(1, model.revision + 1):
        assert core.live(revision) == model.live(revision)
    assert core.live() == model.live(model.revision)


@pytest.mark.parametrize("seed", SEEDS)
def test_pages_and_counts_agree_with_the_model(core: Core, seed: int) -> None:
    chance, model = random.Random(seed), Model()
    fill(core, model, chance, 25)

    for _ in range(60):
        revision = chance.choice([0, chance.randrange(1, model.revision + 1)])
        key, end = chance.choice(KEYS), chance.choice([b"", b"\0", *KEYS])
        limit = chance.randrange(4)
        found = core.range(RangeQuery(key, end, limit=limit, revision=revision))
        expected = [
            entry
            for entry in model.live(revision or model.revision)
            if in_range(entry[0], key, end)
        ]
        shown = expected[:limit] if limit else expected
        assert [row.key for row in found.rows] == [entry[0] for entry in shown]
        assert found.total == len(expected)
        assert found.more == (len(shown) < len(expected))


@pytest.mark.parametrize("seed", SEEDS)
def test_compaction_changes_nothing_that_can_still_be_seen(core: Core, seed: int) -> None:
    """Every read at >= C and every watch from >= C is the same before and after, C after C."""
    chance, model = random.Random(seed), Model()
    compacted = 0
    for _ in range(3):
        fill(core, model, chance, 12)
        compacted = chance.randrange(compacted + 1, model.revision + 1)
        core.compact(compacted)
        visible = range(compacted, model.revision + 1)
        reads = [core.live(revision) for revision in visible]
        counts = [core.range(RangeQuery(b"\0", b"\0", 1, at)).total for at in visible]
        watches = {first: core.events(first) for first in visible}

        core.prune(chance.randrange(1, 9))

        assert [core.live(revision) for revision in visible] == reads
        assert reads == [model.live(revision) for revision in visible]
        assert [core.range(RangeQuery(b"\0", b"\0", 1, at)).total for at in visible] == counts
        assert {first: core.events(first) for first in visible} == watches
        assert core.revision() == model.revision


def test_compaction_leaves_one_event_a_live_key_and_none_of_the_others(core: Core) -> None:
    for number in range(40):
        core.commit(Put(b"kept", b"%d" % number), Put(b"gone", b"%d" % number))
    core.commit(DeleteRange(b"gone"))
    core.commit(Put(b"other"))
    core.compact(core.revision())
    core.prune()

    with core.session.snapshot() as snapshot:
        rows = snapshot.history(0, 1 << 62, 0)
        heads = snapshot.heads([b"kept", b"gone", b"other"])

    assert [row.key for row in rows] == [b"kept", b"other"]
    assert set(heads) == {b"kept", b"other"}


def test_a_key_with_very_many_versions_is_read_at_any_of_them(core: Core) -> None:
    """The chain is given up after a number of links; what takes over must agree with it."""
    core.commit(Put(b"quiet", b"early"))
    for start in range(0, 2_400, 400):
        core.commit(*(Put(b"busy", b"%d" % (start + n)) for n in range(400)))

    for revision in (2, 3, 500, 1_402, 1_403, 2_402):
        expected = [(b"quiet", b"early")]
        if revision > 2:
            expected.insert(0, (b"busy", b"%d" % (revision - 3)))
        assert [entry[:2] for entry in core.live(revision)] == expected


def test_keys_after_a_page_of_very_many_versions_are_found(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of which nothing was there yet, at an old revision, is not the last one."""
    monkeypatch.setattr(sqlite_transaction, "PAGE_ROWS", 2)
    core.commit(Put(b"quiet", b"early"))
    for _ in range(3):
        core.commit(*(Put(key, b"v") for _ in range(400) for key in (b"busy1", b"busy2")))

    assert [entry[:2] for entry in core.live(2)] == [(b"quiet", b"early")]
