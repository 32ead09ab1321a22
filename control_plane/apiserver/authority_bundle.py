"""The authorities that all API servers of a cluster believe, as one PEM text. Pure.

Each server adds its own to what it finds, so that servers with different files agree in the end.
Source: the cluster authentication controller of kube-apiserver v1.35.
"""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding


def combined(found: str, own: str, now: datetime.datetime) -> str:
    """The certificates of `found` and then those of `own` that are new, without what has expired.

    What is no PEM in `found` is left out; ValueError when `own` is none and not empty.
    """
    certificates: list[x509.Certificate] = []
    certified = x509.load_pem_x509_certificates(own.encode()) if own else []
    for one in (*_readable(found), *certified):
        if one not in certificates and one.not_valid_after_utc > now:
            certificates.append(one)
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in certificates)


def _readable(text: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        return []
