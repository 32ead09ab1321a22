"""Certificates in files that are replaced while they are in use."""

from pathlib import Path

from control_plane.client.certificate_files import CertificateFiles


def test_what_is_replaced_is_read_again(tmp_path: Path) -> None:
    files, loads = [tmp_path / "a.crt", tmp_path / "a.key"], []
    for path in files:
        path.write_text("one")
    follower = CertificateFiles(files, lambda: loads.append(files[0].read_text()))
    assert not follower.look()
    (tmp_path / "new").write_text("two")
    (tmp_path / "new").replace(files[0])
    assert follower.look()
    assert not follower.look()
    assert loads == ["two"]


def test_a_file_that_does_not_fit_yet_is_tried_again(tmp_path: Path) -> None:
    path, attempts = tmp_path / "a.crt", [0]

    def load() -> None:
        attempts[0] += 1
        if attempts[0] == 1:
            raise ValueError("the key does not belong to it")

    follower = CertificateFiles([path], load)
    path.write_text("one")
    assert not follower.look()
    assert follower.look()
    assert attempts == [2]
