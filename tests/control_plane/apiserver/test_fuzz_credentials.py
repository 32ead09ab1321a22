"""Spoilt tokens and odd certificates: none is believed, none makes a fault, the server goes on.

`make fuzz` shows many more of them.
"""

from pathlib import Path

from tests.fuzz.credentials import CredentialFuzzer
from tests.support.apiserver import ThreadedApiServer

SEED, TOKENS, CERTIFICATES = 7, 600, 80


def test_no_spoilt_credential_is_believed(server: ThreadedApiServer, tmp_path: Path) -> None:
    fuzzer = CredentialFuzzer(server.url, server.pki, tmp_path, SEED)
    fuzzer.tokens(TOKENS)
    fuzzer.certificates(CERTIFICATES)
    assert not fuzzer.faults, "\n".join(fuzzer.faults[:10])
    assert fuzzer.believed > CERTIFICATES / 20, "too few of them are good"
    assert fuzzer.still_serves()
