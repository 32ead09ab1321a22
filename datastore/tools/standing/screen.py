"""The screen of `tapir status`, and the same as an object for JSON. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from datastore.tools.standing.answers import Alarm, Answer, Asked, Member
    from datastore.tools.standing.holder import Holder

COLUMNS = ("endpoint", "member", "version", "revision", "size", "in use", "quota", "leader", "ms")
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
Told = TypeVar("Told")
WORD = 12  # as wide as the first word of a line below the table


class Standing(NamedTuple):
    """All that was asked. `holder` is None where nobody was asked, or there is no lock."""

    servers: Sequence[Asked]
    holder: Holder | None = None

    @property
    def answers(self) -> list[Answer]:
        """What was answered."""
        return [asked.answer for asked in self.servers if asked.answer]

    @property
    def members(self) -> list[Member]:
        """Every member that a server has told of."""
        return _once(one for answer in self.answers for one in answer.members)

    @property
    def alarms(self) -> list[Alarm]:
        """Every alarm that is up."""
        return _once(one for answer in self.answers for one in answer.alarms)

    @property
    def well(self) -> bool:
        """Say whether every server has answered, one of them leads, and no alarm is up."""
        all_led = all(answer.leader for answer in self.answers)
        return len(self.answers) == len(self.servers) and all_led and not self.alarms


def _once(told: Iterable[Told]) -> list[Told]:
    """Return what several servers may have told alike, once."""
    return list(dict.fromkeys(told))


def screen(standing: Standing) -> str:
    """Return it as lines for a person."""
    return "\n".join([*_table(standing), "", *_below(standing)]) + "\n"


def _table(standing: Standing) -> Iterator[str]:
    names = _names(standing)
    rows = [tuple(name.upper() for name in COLUMNS)]
    rows += [_row(asked, names) for asked in standing.servers]
    full = [row for row in rows if len(row) == len(COLUMNS)]
    widths = [max(len(row[place]) for row in full) for place in range(len(COLUMNS))]
    widths[0] = max(len(row[0]) for row in rows)
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        yield "  ".join(cells).rstrip() if len(row) > 2 else f"{cells[0]}  {row[1]}"


def _row(asked: Asked, names: dict[int, str]) -> tuple[str, ...]:
    answer = asked.answer
    if answer is None:
        return asked.endpoint, asked.trouble
    return (
        asked.endpoint,
        names.get(answer.member) or f"{answer.member:x}",
        answer.version,
        str(answer.revision),
        readable(answer.size),
        readable(answer.in_use),
        readable(answer.quota) if answer.quota else "none",
        _leader(answer, names),
        f"{answer.seconds * 1000:.1f}",
    )


def _leader(answer: Answer, names: dict[int, str]) -> str:
    if not answer.leader:
        return "nobody"
    if answer.leader == answer.member:
        return "itself"
    return names.get(answer.leader) or f"{answer.leader:x}"


def _below(standing: Standing) -> Iterator[str]:
    names = _names(standing)
    for asked in standing.servers:
        if asked.lag or asked.lag_trouble:
            yield _line("lag", f"{asked.endpoint}: {_lag(asked)}")
    if standing.holder is not None:
        yield _line("lock", _held(standing.holder))
    yield from _members(standing)
    for warning in _warnings(standing):
        yield _line("warning", warning)
    for alarm in standing.alarms:
        raised = names.get(alarm.member) or f"{alarm.member:x}"
        yield _line("alarm", f"{alarm.name}, raised by {raised}")
    if not standing.alarms and standing.answers:
        yield _line("alarm", "none")


def _members(standing: Standing) -> Iterator[str]:
    """Yield the servers that live, and those that the database remembers."""
    beats = {beat.member: beat for beat in standing.holder.beats} if standing.holder else {}
    for member in standing.members:
        beat = beats.pop(member.id, None)
        heard = f" heard {beat.milliseconds / 1000:.1f} s ago" if beat else ""
        urls = " ".join(member.client_urls)
        yield _line("member", f"{member.id:x} {member.name or '-'} {urls}{heard}")
    for beat in beats.values():
        gone = f"gone: heard {beat.milliseconds / 1000:.0f} s ago"
        yield _line("member", f"{beat.member:x} {beat.name} {gone}")


def _warnings(standing: Standing) -> list[str]:
    told = _once(text for answer in standing.answers for text in answer.warnings)
    clusters = len({answer.cluster for answer in standing.answers})
    if clusters > 1:
        told.append(f"the endpoints are of {clusters} different stores")
    return told


def _line(word: str, text: str) -> str:
    return f"{word.ljust(WORD)}{text}"


def _lag(asked: Asked) -> str:
    lag = asked.lag
    if lag is None:
        return asked.lag_trouble
    return (
        f"{lag.watchers} watchers ({lag.slow} behind), {lag.events} events to send, "
        f"{lag.writes} writes waiting, {lag.revisions} revisions behind"
    )


def _held(holder: Holder) -> str:
    if not holder.member:
        return "held by nobody: no server ends leases"
    name = holder.name or f"{holder.member:x}"
    return f"held by {name} for {holder.milliseconds} ms more, unless it extends it"


def _names(standing: Standing) -> dict[int, str]:
    return {member.id: member.name for member in standing.members}


def readable(size: int) -> str:
    """Return a number of bytes for a person: three digits, in the unit that fits."""
    power = 0
    while size >= 1000 * 1024**power and power < len(UNITS) - 1:
        power += 1
    amount = size / 1024**power
    return (
        f"{amount:.1f} {UNITS[power]}" if power and amount < 100 else f"{amount:.0f} {UNITS[power]}"
    )


def as_object(standing: Standing) -> dict[str, Any]:
    """Return it for programs: ids as numbers, as etcdctl writes them, sizes in bytes."""
    return {
        "ok": standing.well,
        "endpoints": [_server(asked) for asked in standing.servers],
        "members": [
            {"id": one.id, "name": one.name, "clientURLs": list(one.client_urls)}
            for one in standing.members
        ],
        "heard": [beat._asdict() for beat in standing.holder.beats] if standing.holder else None,
        "alarms": [{"memberID": one.member, "alarm": one.name} for one in standing.alarms],
        "lock": _lock(standing.holder) if standing.holder is not None else None,
    }


def _lock(holder: Holder) -> dict[str, Any]:
    told = holder._asdict()
    del told["beats"]
    return told


def _server(asked: Asked) -> dict[str, Any]:
    answer = asked.answer
    if answer is None:
        return {"endpoint": asked.endpoint, "error": asked.trouble}
    told: dict[str, Any] = {
        "endpoint": asked.endpoint,
        "version": answer.version,
        "clusterID": answer.cluster,
        "memberID": answer.member,
        "leader": answer.leader,
        "revision": answer.revision,
        "dbSize": answer.size,
        "dbSizeInUse": answer.in_use,
        "dbSizeQuota": answer.quota,
        "seconds": round(answer.seconds, 6),
        "warnings": list(answer.warnings),
    }
    if asked.lag:
        told["lag"] = asked.lag._asdict()
    if asked.lag_trouble:
        told["lagError"] = asked.lag_trouble
    return told
