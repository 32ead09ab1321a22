"""Random damage to a store's file and to snapshots, and what the tools make of it.

`tapir check` and `tapir snapshot` are for files that may be broken in any way, so whatever is in
one they must end with an exit code and lines that say something, never with a traceback. A damage
is a seed: `python -m tests.datastore.damage --rounds 200 --seed 1` does many and names those that
broke a tool; the test beside this does a few.
"""

import argparse
import contextlib
import hashlib
import io
import random
import shutil
import sqlite3
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from datastore.backends.schema import metadata
from datastore.mvcc.alarms import NOSPACE
from datastore.mvcc.auth.model import Permission, Token
from datastore.mvcc.auth.requests import (
    AddRole,
    AddUser,
    EnableAuth,
    GrantPermission,
    GrantRole,
    ManageAuth,
    StoreToken,
)
from datastore.mvcc.model import Alarm, DeleteRange, Put
from datastore.mvcc.requests import GrantLease, RaiseAlarm
from tapir.cli import main as tapir
from tests.datastore.core import Core

PAGE = 4096
HEADER = 100
PEOPLE = (
    *(AddUser("root", b"", True), AddRole("r"), GrantRole("root", "root"), GrantRole("root", "r")),
    *(GrantPermission("r", Permission(0, b"a", b"b")), EnableAuth()),
)
ODD = ("NULL", "-1", "0", "1", "'text'", "'1'", "x''", "x'ff'", "1.5", "9223372036854775807")
ODD_META = ("1 << 43", "-9223372036854775808", "9223372036854775807", "'text'", "0.5")


class Said(NamedTuple):
    """How a command ended: its exit code, None after a traceback, and all that it wrote."""

    code: int | None
    out: str
    err: str

    def is_clear(self) -> bool:
        """Say whether it ended as a command may: done, found something, or refused in one line."""
        if self.code == 2:
            return self.err.count("\n") == 1
        return self.code in (0, 1) and "Traceback" not in self.err


def run(*words: str) -> Said:
    """Run `tapir` in this process."""
    out, err = io.StringIO(), io.StringIO()
    code: int | None = None
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = tapir(words)
        except Exception:  # noqa: BLE001 - any is the fault that is looked for
            traceback.print_exc()
    return Said(code, out.getvalue(), err.getvalue())


def make_store(path: Path) -> None:
    """Write a small store with some of everything, at rest and without a log."""
    with Core(f"sqlite:///{path}") as core:
        core.commit(GrantLease(7, 600))
        core.commit(*[Put(b"/registry/pods/ns/%d" % (n % 30), b"x" * n) for n in range(200)])
        core.commit(DeleteRange(b"/registry/pods/ns/1", b"/registry/pods/ns/2"))
        core.commit(Put(b"leased", b"", 7), Put(b"large", b"x" * 20_000))
        core.compact(100)
        core.prune(50)
        core.commit(*(ManageAuth(change) for change in PEOPLE))
        core.commit(StoreToken(Token(b"t" * 32, "root", 0), 6, 60_000))
        core.commit(RaiseAlarm(Alarm(core.backend.member_id, NOSPACE)))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


def _flip_bytes(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(chance.choice((1, 10, 200))):
        data[chance.randrange(len(data))] = chance.randrange(256)
    path.write_bytes(data)


def _flip_header(path: Path, chance: random.Random) -> None:
    """The file's own header, or the schema that is on the page after it."""
    data = bytearray(path.read_bytes())
    end = chance.choice((HEADER, PAGE))
    for _ in range(chance.choice((1, 3))):
        data[chance.randrange(16, end)] = chance.randrange(256)
    path.write_bytes(data)


def _break_page(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    pages = len(data) // PAGE
    at, other = chance.randrange(pages) * PAGE, chance.randrange(pages) * PAGE
    fill = chance.choice((bytes(PAGE), chance.randbytes(PAGE), bytes(data[other : other + PAGE])))
    data[at : at + PAGE] = fill
    path.write_bytes(data)


def _cut(path: Path, chance: random.Random) -> None:
    size = path.stat().st_size
    left = chance.choice((0, 1, HEADER, PAGE, size // 2 // PAGE * PAGE, chance.randrange(size)))
    path.write_bytes(path.read_bytes()[:left])


def _spoil_rows(path: Path, chance: random.Random) -> None:
    """What somebody with a prompt can do, and a bit more: no column keeps its constraints."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '')")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for _ in range(chance.choice((1, 2, 5))):
            with contextlib.suppress(sqlite3.Error):
                connection.execute(_odd_statement(chance))


def _odd_statement(chance: random.Random) -> str:
    table = chance.choice(metadata.sorted_tables)
    if chance.random() < 0.2:
        return f'DELETE FROM "{table.name}"'
    if chance.random() < 0.1:
        return f'DROP TABLE "{table.name}"'
    column = chance.choice(list(table.c))
    odd = chance.choice(ODD_META if table.name == "meta" else ODD)
    some = chance.choice(("", " WHERE abs(random()) % 5 = 0"))
    return f'UPDATE OR IGNORE "{table.name}" SET "{column.name}" = {odd}{some}'


DAMAGES: tuple[Callable[[Path, random.Random], None], ...] = (
    _flip_bytes,
    _flip_header,
    _break_page,
    _cut,
    _spoil_rows,
    _spoil_rows,
)


def damaged(sound: Path, seed: int, directory: Path) -> list[tuple[str, Said]]:
    """Damage a copy of a store, and run every tool on it that reads such a file."""
    chance = random.Random(seed)
    path = directory / "damaged.db"
    shutil.copyfile(sound, path)
    chance.choice(DAMAGES)(path, chance)
    said = [("check", run("check", "--endpoint", f"sqlite:///{path}"))]
    data = path.read_bytes()
    snapshot = directory / "snapshot.db"
    snapshot.write_bytes(data + hashlib.sha256(data).digest())
    said.append(("status", run("snapshot", "status", str(snapshot))))
    for file, words in ((snapshot, ()), (path, ("--skip-hash-check",)), (snapshot, RAISED)):
        restored = directory / "restored.db"
        said.append(("restore", _restore(file, restored, words)))
        if restored.exists():
            said.append(("check of it", run("check", "--endpoint", f"sqlite:///{restored}")))
            assert said[-1][1].code in (0, 1), said[-2:]
            restored.unlink()
    return said


RAISED = ("--bump-revision", "1000", "--mark-compacted")


def _restore(file: Path, target: Path, words: tuple[str, ...]) -> Said:
    done = run("snapshot", "restore", str(file), "--endpoint", f"sqlite:///{target}", *words)
    assert target.exists() == (done.code == 0), done
    return done


def main() -> int:
    """Do many; 1 when a tool ended in any other way than it may."""
    parser = argparse.ArgumentParser(prog="damage")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    flags = parser.parse_args()
    broken = 0
    codes: dict[tuple[str, int | None], int] = {}
    with tempfile.TemporaryDirectory() as name:
        sound = Path(name) / "sound.db"
        make_store(sound)
        for seed in range(flags.seed, flags.seed + flags.rounds):
            directory = Path(name) / str(seed)
            directory.mkdir()
            for verb, said in damaged(sound, seed, directory):
                codes[verb, said.code] = codes.get((verb, said.code), 0) + 1
                if not said.is_clear():
                    broken += 1
                    sys.stdout.write(f"seed {seed}: {verb}: {said.code}\n{said.err}\n")
            shutil.rmtree(directory)
    for (verb, code), times in sorted(codes.items(), key=str):
        sys.stdout.write(f"{verb} exit {code}: {times}\n")
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
