"""Every statement, built with SQLAlchemy Core and compiled once for a dialect.

A `Prepared` is SQL text and the order of its parameters: hot paths give both to the raw driver,
because Core's own execution costs more than the statement. Lists of values are the one thing that
databases spell differently: a `Lists` says how.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from sqlalchemy import (
    BigInteger,
    LargeBinary,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from datastore.backends.auth_tables import AuthStatements
from datastore.backends.schema import alarm, history, kv, lease, lock, member, meta, moment, token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Dialect
    from sqlalchemy.sql import ClauseElement, Select

CHAIN_STEPS = 1_000  # links followed before a newer-to-older scan takes over


class Prepared(NamedTuple):
    """SQL text, the names of its positional parameters, and those that never change."""

    sql: str
    names: tuple[str, ...]
    constants: dict[str, Any]

    def bind(self, values: dict[str, Any]) -> tuple[Any, ...]:
        """Return the parameters in order."""
        known = {**self.constants, **values} if self.constants else values
        return tuple([known[name] for name in self.names])


class Lists(Protocol):
    """How a dialect says that a column is among some values."""

    def chunks(self, values: Sequence[Any]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Split values into (size of the statement, its parameters)."""

    def among(self, column: ColumnElement[Any], size: int) -> ColumnElement[bool]:
        """Return the condition for one chunk of that size."""


class Statements:
    """The statements of one dialect; `now` is the SQL of its clock in milliseconds."""

    def __init__(self, dialect: Dialect, lists: Lists, now: ColumnElement[Any]) -> None:
        self._dialect = dialect
        self.lists = lists
        self.made: dict[str, str] = {}  # the names of those that are prepared when needed, by text
        newest = select(func.max(history.c.id)).scalar_subquery()
        alarms = select(func.count()).select_from(alarm).scalar_subquery()
        columns = (meta.c.floor, meta.c.compact_revision, meta.c.pruned_revision)
        auth = meta.c.auth_enabled * meta.c.auth_revision
        self.state_columns = (func.coalesce(newest, 0), *columns, now, alarms, auth)
        self.state = self.prepare(select(*self.state_columns))
        self.auth = AuthStatements(self.prepare)
        self.lease_keys = self.prepare(
            select(*kv.c)
            .where(kv.c.lease == _param("lease"), kv.c.lease != 0, kv.c.deleted == 0)
            .order_by(kv.c.key)
        )
        self.leased_keys = self.prepare(select(kv.c.key).where(kv.c.lease != 0, kv.c.deleted == 0))
        self.all_leases = self.prepare(select(*lease.c))
        self.due_leases = self.prepare(
            select(*lease.c)
            .where(lease.c.deadline <= _param("now"))
            .order_by(lease.c.deadline)
            .limit(_param("limit"))
        )
        self.alarms = self.prepare(select(*alarm.c))
        self.lock = self.prepare(select(*lock.c).where(lock.c.name == bindparam("name")))
        self.members = self.prepare(
            select(
                member.c.id,
                member.c.name,
                member.c.client_urls,
                member.c.heartbeat,
                member.c.peer_urls,
            )
        )
        self.last_batch = self.prepare(select(member.c.batch).where(member.c.id == _param("id")))
        self.scan_back = self.prepare(
            select(history.c.id)
            .where(history.c.key == _bytes("key"), history.c.id < _param("below"))
            .order_by(history.c.id.desc())
            .limit(1)
        )
        self._prepare_changes()
        self.among = lru_cache(maxsize=256)(self._among)
        self.scan = self.named("scan", self._scan)
        self.walk = self.named("walk", self._walk)
        self.count = self.named("count", self._count)
        self.uncertain = self.named("uncertain", self._uncertain)
        self.moved = self.named("moved", self._moved)
        self.history = self.named("history", self._history)

    def named(self, name: str, build: Callable[..., Prepared]) -> Callable[..., Prepared]:
        """Return what prepares each form of a statement once, under a name for metrics."""

        def make(*form: Any, **options: Any) -> Prepared:
            prepared = build(*form, **options)
            self.made[prepared.sql] = name
            return prepared

        return lru_cache(maxsize=None)(make)

    def prepare(self, statement: ClauseElement) -> Prepared:
        """Compile a statement."""
        compiled = statement.compile(
            dialect=self._dialect, compile_kwargs={"render_postcompile": True}
        )
        names = tuple(getattr(compiled, "positiontup", None) or ())
        binds: dict[str, Any] = getattr(compiled, "binds", {})
        constants = {name: binds[name].value for name in names if not binds[name].required}
        return Prepared(str(compiled), names, constants)

    def _prepare_changes(self) -> None:
        self.set_batch = self.prepare(
            update(member).where(member.c.id == _param("member")).values(batch=_param("number"))
        )
        self.set_peer_urls = self.prepare(
            update(member)
            .where(member.c.id == _param("member"))
            .values(peer_urls=bindparam("urls"))
        )
        self.set_compact = self.prepare(update(meta).values(compact_revision=_param("revision")))
        self.set_pruned = self.prepare(update(meta).values(pruned_revision=_param("revision")))
        self.set_floor = self.prepare(update(meta).values(floor=_param("revision")))
        full = _param("now") + lease.c.ttl * 1000
        self.extend_leases = self.prepare(
            update(lease).where(lease.c.deadline < full).values(deadline=full)
        )
        self.drop_alarm = self.prepare(
            delete(alarm).where(
                alarm.c.member_id == _param("member"), alarm.c.alarm == _param("kind")
            )
        )
        self._prepare_moments()

    def _prepare_moments(self) -> None:
        known = exists(select(moment.c.time).where(moment.c.time == _param("time")))
        new = select(_param("time"), _param("revision")).select_from(meta).where(~known)
        self.put_moment = self.prepare(insert(moment).from_select(["time", "revision"], new))
        self.moment_before = self.prepare(
            select(func.max(moment.c.revision)).where(moment.c.revision <= _param("revision"))
        )
        self.drop_moments = self.prepare(
            delete(moment).where(moment.c.revision < _param("revision"))
        )

    def _among(self, kind: str, size: int) -> Prepared:
        """Return one of LISTED for a list of that size."""
        column, build = LISTED[kind]
        prepared = self.prepare(build(self.lists.among(column, size)))
        self.made[prepared.sql] = kind
        return prepared

    def _scan(self, *, bounded: bool, limited: bool, values: bool) -> Prepared:
        """Live rows of a key range in key order, at their newest."""
        value: Any = history.c.value if values else literal(b"")
        integers = (kv.c.id, kv.c.create_revision, kv.c.version, kv.c.lease)
        statement: Select[Any] = select(*integers, kv.c.key, value)
        if values:
            statement = statement.select_from(kv.join(history, history.c.id == kv.c.id))
        statement = statement.where(*bounds(bounded), kv.c.deleted == 0).order_by(kv.c.key)
        return self.prepare(statement.limit(_param("limit")) if limited else statement)

    def _walk(self, *, bounded: bool, values: bool) -> Prepared:
        """Heads of a key range in key order, with the values of those live below a bound."""
        value: Any = history.c.value if values else literal(b"")
        integers = [column for column in kv.c if column is not kv.c.key]
        statement = select(*integers, kv.c.key, value)
        if values:
            there = and_(history.c.id == kv.c.id, kv.c.id < _param("below"), kv.c.deleted == 0)
            statement = statement.select_from(kv.outerjoin(history, there))
        statement = statement.where(*bounds(bounded)).order_by(kv.c.key)
        return self.prepare(statement.limit(_param("limit")))

    def _count(self, *, bounded: bool, past: bool) -> Prepared:
        """Count keys that are live, or that certainly were at a past revision."""
        statement = select(func.count()).select_from(kv).where(*bounds(bounded))
        statement = statement.where(kv.c.deleted == 0)
        if past:
            statement = statement.where(kv.c.create_revision <= _param("revision"))
        return self.prepare(statement)

    def _uncertain(self, *, bounded: bool) -> Prepared:
        """Heads newer than a revision whose keys may or may not have been live then."""
        newer = and_(
            kv.c.id >= _param("below"),
            or_(kv.c.deleted != 0, kv.c.create_revision > _param("revision")),
        )
        return self.prepare(select(*kv.c).where(*bounds(bounded), newer))

    def _moved(self, *, bounded: bool) -> Prepared:
        """How many events there are, and creations less deletions among those of a key range."""
        events = (
            select(history.c.key, history.c.deleted, history.c.version)
            .where(history.c.id >= _param("first"), history.c.id < _param("last"))
            .limit(_param("limit"))
            .subquery()
        )
        inside = and_(*bounds(bounded, events.c.key))
        delta = case(
            (and_(inside, events.c.deleted != 0), -1), (and_(inside, events.c.version == 1), 1)
        )
        return self.prepare(select(func.count(), func.coalesce(func.sum(delta), 0)))

    def _history(self, *, limited: bool) -> Prepared:
        statement = select(*history.c).where(
            history.c.id >= _param("first"), history.c.id < _param("last")
        )
        statement = statement.order_by(history.c.id)
        return self.prepare(statement.limit(_param("limit")) if limited else statement)


def _param(name: str) -> Any:
    return bindparam(name, type_=BigInteger())


def _bytes(name: str) -> Any:
    return bindparam(name, type_=LargeBinary())


def bounds(bounded: bool, key: ColumnElement[Any] = kv.c.key) -> list[Any]:
    """Return the conditions of a key range; its parameters are `key` and, if bounded, `end`."""
    low = key >= _bytes("key")
    return [low, key < _bytes("end")] if bounded else [low]


def _chains(among: ColumnElement[bool]) -> Select[Any]:
    """Follow each event's chain to the first below a bound; give up after CHAIN_STEPS links."""
    chain = (
        select(
            history.c.id.label("head"),
            history.c.prev_id.label("at"),
            literal(1, type_=BigInteger).label("steps"),
        )
        .where(among)
        .cte("chain", recursive=True)
    )
    chain = chain.union_all(
        select(chain.c.head, history.c.prev_id, chain.c.steps + 1)
        .join(history, history.c.id == chain.c.at)
        .where(chain.c.at >= _param("below"), chain.c.steps < CHAIN_STEPS)
    )
    reached = or_(chain.c.at < _param("below"), chain.c.steps >= CHAIN_STEPS)
    return select(chain.c.head, chain.c.at).where(reached)


LISTED: dict[str, tuple[ColumnElement[Any], Callable[[ColumnElement[bool]], ClauseElement]]] = {
    "heads": (kv.c.key, lambda among: select(*kv.c).where(among)),
    "values": (history.c.id, lambda among: select(history.c.id, history.c.value).where(among)),
    "key_values": (
        kv.c.key,
        lambda among: (
            select(history.c.id, history.c.value)
            .select_from(kv.join(history, history.c.id == kv.c.id))
            .where(among, kv.c.deleted == 0)
        ),
    ),
    "live_rows": (
        kv.c.key,
        lambda among: (
            select(*history.c)
            .select_from(kv.join(history, history.c.id == kv.c.id))
            .where(among, kv.c.deleted == 0)
        ),
    ),
    "rows": (history.c.id, lambda among: select(*history.c).where(among)),
    "leases": (lease.c.id, lambda among: select(*lease.c).where(among)),
    "chains": (history.c.id, _chains),
    "live": (
        history.c.id,
        lambda among: (
            select(func.count()).select_from(history).where(among, history.c.deleted == 0)
        ),
    ),
    "drop_rows": (history.c.id, lambda among: delete(history).where(among)),
    "drop_heads": (kv.c.key, lambda among: delete(kv).where(among)),
    "drop_leases": (lease.c.id, lambda among: delete(lease).where(among)),
    "drop_members": (member.c.id, lambda among: delete(member).where(among)),
    "renew_tokens": (
        token.c.digest,
        lambda among: update(token).where(among).values(expires=_param("expires")),
    ),
}
