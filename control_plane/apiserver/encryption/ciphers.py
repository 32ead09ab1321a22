"""What seals a value with one key: AES-CBC, AES-GCM and XSalsa20-Poly1305.

`seal` and `open` also get the key under which the value lies in the store: AES-GCM authenticates
it, so that a value that was moved to another key is not believed. Pure but for randomness.
Source: the layouts of Kubernetes' storage transformers (apiserver/pkg/storage/value/encrypt).
"""

import os
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher as BlockCipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from control_plane.apiserver.storage.stored_object import UndecryptableError

BLOCK_BYTES = 16
GCM_NONCE_BYTES, GCM_TAG_BYTES = 12, 16
SECRETBOX_NONCE_BYTES, SECRETBOX_TAG_BYTES = 24, 16
TOO_SHORT = "the stored data was shorter than the required size"


class Cipher(Protocol):
    """One key, ready for use."""

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """The bytes to store for `plain` under the key `place`."""
        ...

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """The plain bytes; raises UndecryptableError."""
        ...


class AesCbc:
    """A random IV, then AES-CBC with PKCS#7 padding; nothing is authenticated."""

    def __init__(self, secret: bytes) -> None:
        """`secret` has 16, 24 or 32 bytes."""
        self._algorithm = AES(secret)

    def seal(self, plain: bytes, _place: bytes) -> bytes:
        """Encrypt; equal values differ."""
        initial = os.urandom(BLOCK_BYTES)
        missing = BLOCK_BYTES - len(plain) % BLOCK_BYTES
        encryptor = BlockCipher(self._algorithm, CBC(initial)).encryptor()
        padded = plain + bytes([missing]) * missing
        return initial + encryptor.update(padded) + encryptor.finalize()

    def open(self, sealed: bytes, _place: bytes) -> bytes:
        """Decrypt; a wrong key nearly always shows in the padding."""
        if len(sealed) < BLOCK_BYTES:
            raise UndecryptableError(TOO_SHORT)
        if len(sealed) % BLOCK_BYTES:
            raise UndecryptableError("the stored data is not a multiple of the block size")
        decryptor = BlockCipher(self._algorithm, CBC(sealed[:BLOCK_BYTES])).decryptor()
        return _unpadded(decryptor.update(sealed[BLOCK_BYTES:]) + decryptor.finalize())


def _unpadded(padded: bytes) -> bytes:
    size = padded[-1] if padded else 0
    if not 0 < size <= len(padded):
        raise UndecryptableError("invalid PKCS7 data (empty or not padded)")
    if padded[-size:] != bytes([size]) * size:
        raise UndecryptableError("invalid padding on input")
    return padded[:-size]


class AesGcm:
    """A random nonce, then AES-GCM with its tag; the place is authenticated."""

    def __init__(self, secret: bytes) -> None:
        """`secret` has 16, 24 or 32 bytes."""
        self._cipher = AESGCM(secret)

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """Encrypt and authenticate."""
        nonce = os.urandom(GCM_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """Check and decrypt."""
        if len(sealed) < GCM_NONCE_BYTES + GCM_TAG_BYTES:
            raise UndecryptableError(TOO_SHORT)
        nonce, rest = sealed[:GCM_NONCE_BYTES], sealed[GCM_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, rest, place)
        except InvalidTag as error:
            raise UndecryptableError("cipher: message authentication failed") from error


class Secretbox:
    """A random nonce, then NaCl's secret box; the place takes no part."""

    def __init__(self, secret: bytes) -> None:
        """`secret` has 32 bytes."""
        from nacl.secret import SecretBox  # only who names the provider needs the library

        self._box = SecretBox(secret)

    def seal(self, plain: bytes, _place: bytes) -> bytes:
        """Encrypt and authenticate."""
        return bytes(self._box.encrypt(plain, os.urandom(SECRETBOX_NONCE_BYTES)))

    def open(self, sealed: bytes, _place: bytes) -> bytes:
        """Check and decrypt."""
        from nacl.exceptions import CryptoError

        if len(sealed) < SECRETBOX_NONCE_BYTES + SECRETBOX_TAG_BYTES:
            raise UndecryptableError(TOO_SHORT)
        try:
            return bytes(self._box.decrypt(sealed))
        except CryptoError as error:
            text = "output array was not large enough for encryption"  # upstream's, for any reason
            raise UndecryptableError(text) from error


class Algorithm(NamedTuple):
    """A provider of the configuration: its cipher, key lengths in bytes, and the text of no key."""

    cipher: Callable[[bytes], Cipher]
    key_sizes: tuple[int, ...]
    no_key: str


_AES_SIZES, _NO_AES_KEY = (16, 24, 32), "no matching key was found for the provided AES transformer"

# by its name in the configuration, which is also that in the stored prefix
ALGORITHMS: Mapping[str, Algorithm] = {
    "aescbc": Algorithm(AesCbc, _AES_SIZES, _NO_AES_KEY),
    "aesgcm": Algorithm(AesGcm, _AES_SIZES, _NO_AES_KEY),
    "secretbox": Algorithm(
        Secretbox, (32,), "no matching key was found for the provided Secretbox transformer"
    ),
}
