"""A file that is damaged in any way ends `tapir check` and `tapir snapshot` with a clear line."""

from pathlib import Path

import pytest

from tests.datastore.damage import damaged, make_store, run

# A dozen, among them those that once ended in a traceback.
SEEDS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1007, 1015)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that nothing is wrong with."""
    path = tmp_path_factory.mktemp("damage") / "sound.db"
    make_store(path)
    return path


def test_the_store_that_is_damaged_was_sound(sound: Path) -> None:
    assert run("check", "--endpoint", f"sqlite:///{sound}") == (0, "", "")


@pytest.mark.parametrize("seed", SEEDS)
def test_random_damage_ends_no_tool_in_a_traceback(sound: Path, tmp_path: Path, seed: int) -> None:
    for verb, said in damaged(sound, seed, tmp_path):
        assert said.is_clear(), (verb, said)
