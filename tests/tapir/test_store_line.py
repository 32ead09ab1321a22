"""The line that names the store gives no password away."""

import pytest

from tapir.up.server import warn_of_password, without_password

SHOWN = [
    ("sqlite:////data/cluster.db", "sqlite:////data/cluster.db"),
    ("postgresql://u:secret@h:5432/d", "postgresql://u:***@h:5432/d"),
    ("postgresql://u:a/b@c:d@h/d", "postgresql://u:***@h/d"),
    (
        "postgresql://h/d?user=u&password=secret&sslpassword=secret&sslmode=require",
        "postgresql://h/d?user=u&password=***&sslpassword=***&sslmode=require",
    ),
    ("mysql://u:secret@h:3306/d", "mysql://u:***@h:3306/d"),
    ("mysql://h/d?user=u&passwd=secret", "mysql://h/d?user=u&passwd=***"),
    ("postgresql://u@h:5432/d", "postgresql://u@h:5432/d"),
    ("http://127.0.0.1:2379,http://h:2379", "http://127.0.0.1:2379,http://h:2379"),
]


@pytest.mark.parametrize(("url", "shown"), SHOWN)
def test_a_password_in_the_url_is_warned_of(
    url: str, shown: str, caplog: pytest.LogCaptureFixture
) -> None:
    warn_of_password(url)

    warned = [record.getMessage() for record in caplog.records]
    assert len(warned) == (url != shown)
    assert all("--datastore-password-file" in text and "secret" not in text for text in warned)


@pytest.mark.parametrize(("url", "shown"), SHOWN)
def test_password_is_left_out(url: str, shown: str) -> None:
    assert without_password(url) == shown
