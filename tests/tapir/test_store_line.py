"""The line that names the store gives no password away."""

import pytest

from tapir.up.server import without_password


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////data/cluster.db", "sqlite:////data/cluster.db"),
        ("postgresql://u:secret@h:5432/d", "postgresql://u:***@h:5432/d"),
        ("postgresql://u:a/b@c:d@h/d", "postgresql://u:***@h/d"),
        (
            "postgresql://h/d?user=u&password=secret&sslpassword=secret&sslmode=require",
            "postgresql://h/d?user=u&password=***&sslpassword=***&sslmode=require",
        ),
        ("postgresql://u@h:5432/d", "postgresql://u@h:5432/d"),
        ("http://127.0.0.1:2379,http://h:2379", "http://127.0.0.1:2379,http://h:2379"),
    ],
)
def test_password_is_left_out(url: str, shown: str) -> None:
    assert without_password(url) == shown
