"""The verification of a move: every difference is reported with its key."""

import io

import pytest

from datastore.tools.moving.comparison import differences
from datastore.tools.moving.progress import Progress
from datastore.tools.moving.record import Record

A = Record(b"/a", b"one", 2, 3, 2, 0)
B = Record(b"/b", b"two", 4, 4, 1, 7)
C = Record(b"/c", b"", 5, 5, 1, 0)


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ([], [], []),
        ([A, B], [A, B], []),
        ([A, B], [A], ["/b: is missing in the target"]),
        ([A, B, C], [A, C], ["/b: is missing in the target"]),
        ([B], [A, B, C], ["/a: is in the target alone", "/c: is in the target alone"]),
        (
            [A],
            [A._replace(value=b"more", version=3)],
            ["/a: value differs (3 bytes, in the target 4)", "/a: version is 2, in the target 3"],
        ),
        ([A], [A._replace(lease=9)], ["/a: lease is 0, in the target 9"]),
        (
            [A._replace(key=b"\xff\0")],
            [],
            ["b'\\xff\\x00': is missing in the target"],
        ),
    ],
)
def test_differences(source: list[Record], target: list[Record], said: list[str]) -> None:
    assert [str(difference) for difference in differences(source, target)] == said


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_how_far_it_has_come() -> None:
    seconds = iter([0.0, 0.05, 1.0])
    stream = Terminal()
    progress = Progress(stream, lambda: next(seconds))

    progress.begin("copying", 2_000, 500)
    progress.advance(500)
    progress.advance(500)
    progress.end()

    shown = stream.getvalue().split("\r\x1b[K")
    assert shown == [
        "",
        "copying [######------------------]  25% 500 of 2,000 keys",
        "copying [##################------]  75% 1,500 of 2,000 keys",
        "",
    ]


def test_a_file_gets_no_bar() -> None:
    stream = io.StringIO()
    progress = Progress(stream)

    progress.begin("copying", 10)
    progress.advance(10)
    progress.end()

    assert stream.getvalue() == ""
