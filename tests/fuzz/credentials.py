"""Shows a server tokens and certificates that are not good, and notes what it must not answer."""

import json
from pathlib import Path

import requests
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from control_plane.pki.cluster import ClusterPki
from tests.fuzz.certificates import OddCertificates
from tests.fuzz.tokens import SpoiltTokens
from tests.support.raw_api import RawApi

SELF = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"


class CredentialFuzzer:
    """`faults` are what was believed though it must not be, or answered with 5xx."""

    def __init__(self, url: str, pki: ClusterPki, directory: Path, seed: int) -> None:
        self._url, self._ca = url, pki.pair("ca").certificate
        with RawApi(url, self._ca, pki.pair("admin")) as admin:
            admin.post(ACCOUNTS, {"metadata": {"name": "fuzzed"}})
            answer = admin.post(f"{ACCOUNTS}/fuzzed/token", {"spec": {}})
        self._good = str(answer.json["status"]["token"])
        key = load_pem_private_key(pki.service_account_key.read_bytes(), password=None)
        public = pki.service_account_public_key.read_bytes()
        self._tokens = SpoiltTokens(self._good, key, public, seed)
        self._certificates = OddCertificates(pki.pair("ca"), directory, seed)
        self.faults: list[str] = []
        self.believed = 0

    def tokens(self, count: int) -> None:
        """Show so many tokens; each has to be refused."""
        with RawApi(self._url, self._ca) as client:
            for _ in range(count):
                token = self._tokens.next()
                headers = {"Authorization": f"Bearer {token}"}
                code = client.request("POST", SELF, {}, headers).code
                # a head beyond its limit is refused before it is read
                if code not in (401, 431):
                    self.faults.append(f"{code} for the token {token[:2000]}")

    def certificates(self, count: int) -> None:
        """Show so many certificates; only one that is good may be believed, for its own name."""
        for _ in range(count):
            pair, name = self._certificates.next()
            try:
                with RawApi(self._url, self._ca, pair) as client:
                    answer = client.post(SELF, {})
            except requests.RequestException:  # refused in the handshake
                continue
            if answer.code == 201:
                self.believed += 1
                user = json.loads(answer.text)["status"]["userInfo"]["username"]
                if user != name:
                    self.faults.append(f"{user!r} for the certificate of {name!r}")
            elif answer.code not in (401, 403):
                self.faults.append(f"{answer.code} for the certificate of {name!r}")

    def still_serves(self) -> bool:
        """Whether the token that is good still is."""
        with RawApi(self._url, self._ca, token=self._good) as client:
            return client.post(SELF, {}).code == 201
