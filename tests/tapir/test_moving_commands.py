"""What `tapir import` and `tapir export` say when they end early, or find a difference."""

import pytest

from tapir.commands.moving import moving, report
from tapir.refusal import Refusal


def test_an_interruption_is_one_line() -> None:
    with pytest.raises(Refusal, match="interrupted: the same command goes on"), moving():
        raise KeyboardInterrupt


def test_a_difference_is_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert report("imported", [], "import again") == 0
    assert report("imported", ["/a: is missing in the target"], "import again") == 1

    said = capsys.readouterr().out.splitlines()
    assert said == [
        "imported",
        "/a: is missing in the target",
        "both sides differ: import again",
    ]
