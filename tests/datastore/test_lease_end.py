"""The end of leases: with all their keys, however many, and told also of those that were gone."""

import pytest

from datastore.mvcc import draft, leases
from datastore.mvcc.model import Put
from datastore.mvcc.requests import EndLeases, GrantLease, RevokeLease
from tests.datastore.core import Core


@pytest.mark.parametrize("wants_values", [True, False])
def test_a_lease_of_more_keys_than_a_revision_holds_ends_in_several(
    core: Core, monkeypatch: pytest.MonkeyPatch, wants_values: bool
) -> None:
    monkeypatch.setattr(draft, "MAX_EVENTS", 3)
    monkeypatch.setattr(leases, "MAX_EVENTS", 3)
    core.commit(GrantLease(7, 60), Put(b"other", b"stays"))
    core.commit(*[Put(b"k%d" % number, b"v%d" % number, 7) for number in range(7)])
    before = core.revision()

    (revoked,) = core.commit(RevokeLease(7), wants_values=wants_values)

    assert revoked.revision == core.revision() == before + 3
    assert [key for key, *_ in core.live()] == [b"other"]
    ended = core.events(before + 1)
    assert [event[0] - before for event in ended] == [1, 1, 1, 2, 2, 2, 3]
    assert [event[-1][1] for event in ended] == [b"v%d" % number for number in range(7)]


def test_leases_that_were_gone_already_are_said_to_be(core: Core) -> None:
    """Whoever still thinks that they are there has to forget them."""
    core.commit(GrantLease(7, 60))

    outcome = core.attempt(EndLeases((6, 7)))

    assert outcome.results[0].leases == [7]
    assert outcome.leases == {6: None, 7: None}
