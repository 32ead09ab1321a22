"""Simple tokens in memory: how long they are good, and what makes the database be asked."""

from datastore.mvcc.auth.model import NamedUser, Token
from datastore.mvcc.auth.tokens.kind import Moment
from datastore.mvcc.auth.tokens.simple import SimpleTokens, digest_of


class Stored:
    """A database of tokens, which counts how often it is asked."""

    def __init__(self, *tokens: Token) -> None:
        self.tokens = {token.digest: token for token in tokens}
        self.asked = 0

    def __call__(self, digest: bytes) -> Token | None:
        self.asked += 1
        return self.tokens.get(digest)


def test_a_token_that_is_used_needs_the_database_once() -> None:
    tokens = SimpleTokens({}, 10)
    text, row = tokens.issue("ann", 1, 0)
    assert row is not None
    stored = Stored(row)

    for now in (0, 9_000, 18_000, 27_000):
        assert tokens.identify(text, Moment(1, now), stored) == NamedUser("ann", 1)
    assert stored.asked == 1
    assert tokens.used() == tokens.used() == [row.digest]
    tokens.renewed([row.digest])
    assert tokens.used() == []
    assert tokens.identify(text, Moment(1, 37_000), stored) is None


def test_a_token_renewed_elsewhere_is_good_here() -> None:
    tokens = SimpleTokens({}, 10)
    text, row = tokens.issue("ann", 1, 0)
    assert row is not None
    stored = Stored(row)
    tokens.identify(text, Moment(1, 0), stored)
    stored.tokens[row.digest] = row._replace(expires=60_000)

    assert tokens.identify(text, Moment(1, 50_000), stored) == NamedUser("ann", 1)


def test_another_auth_revision_asks_again() -> None:
    tokens = SimpleTokens({}, 10)
    text, row = tokens.issue("ann", 1, 0)
    assert row is not None
    stored = Stored(row)
    tokens.identify(text, Moment(1, 0), stored)
    stored.tokens.clear()

    assert tokens.identify(text, Moment(1, 1), stored) == NamedUser("ann", 1)
    assert tokens.identify(text, Moment(2, 1), stored) is None
    assert tokens.identify(text, Moment(1, 1), stored) == NamedUser("ann", 1)


def test_what_cannot_be_a_token_is_not_looked_up() -> None:
    stored = Stored()

    for text in ("", "abc", "a.b", "a.b.1", "a.", "a.1.1", "a.-1", "a. 1"):
        assert SimpleTokens({}, 10).identify(text, Moment(1, 0), stored) is None
    assert stored.asked == 0


def test_the_database_does_not_learn_tokens() -> None:
    text, row = SimpleTokens({}, 10).issue("ann", 1, 0)

    assert row == Token(digest_of(text), "ann", 10_000)
    assert text.encode() not in digest_of(text)


def test_nothing_is_remembered_of_a_batch_in_progress() -> None:
    tokens = SimpleTokens({}, 10)
    text, row = tokens.issue("ann", 1, 0)
    assert row is not None
    stored = Stored(row)
    tokens.identify(text, Moment(1, 0), stored)

    assert tokens.identify(text, Moment(2, 0, settled=False), stored) == NamedUser("ann", 2)
    stored.tokens.clear()
    assert tokens.identify(text, Moment(1, 0, settled=False), stored) is None
    assert tokens.identify(text, Moment(2, 0), stored) is None
