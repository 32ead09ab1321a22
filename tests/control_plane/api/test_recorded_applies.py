"""Apply and tracking against what Kubernetes' own libraries made of the same writes."""

from collections import defaultdict

from tests.control_plane.api.recorded_applies import replay, sequences


def test_every_sequence_as_recorded() -> None:
    played: dict[str, int] = defaultdict(int)
    different = []
    for sequence in sequences():
        played[sequence["kind"]] += 1
        trouble = replay(sequence)
        if trouble:
            different.append(f"{sequence['kind']} {played[sequence['kind']]}: {trouble}")
    assert len(played) >= 15
    assert sum(played.values()) > 500
    assert not different, f"{len(different)} differ\n" + "\n".join(different[:10])
