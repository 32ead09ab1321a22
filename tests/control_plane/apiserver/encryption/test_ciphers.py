"""The stored bytes of each provider, against vectors that others have computed."""

import base64
import re
from collections.abc import Sequence
from typing import Any

import pytest

from control_plane.apiserver.encryption.ciphers import ALGORITHMS
from control_plane.apiserver.encryption.configuration import rules_of
from control_plane.apiserver.encryption.sealing import PLAIN, Chain
from control_plane.apiserver.storage.stored_object import UndecryptableError

PLACE = b"/registry/secrets/default/a"
SECRET = bytes(range(32))


def chain(*providers: dict[str, Any]) -> Chain:
    """The providers of a configuration, as its file names them."""
    resources = [{"resources": ["secrets"], "providers": list(providers)}]
    document = {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "EncryptionConfiguration",
        "resources": resources,
    }
    return rules_of(repr(document).encode())[0].chain


def keyed(algorithm: str, names: Sequence[str] = ("key1",), first: int = 0) -> dict[str, Any]:
    """A provider whose keys are SECRET, and others that begin with the next bytes."""
    keys = [
        {"name": name, "secret": base64.b64encode(bytes(range(number, number + 32))).decode()}
        for number, name in enumerate(names, first)
    ]
    return {algorithm: {"keys": keys}}


def test_aescbc_reads_what_openssl_has_encrypted() -> None:
    # printf '{"kind":"Secret"}' | openssl enc -aes-256-cbc -K 0001..1f -iv f0f1..ff
    sealed = bytes.fromhex(
        "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
        "c49797803cf8c539d0dcd343f8c8c19c0c76317e438dd2b900ff04dc4dcfba3d"
    )
    value = b"k8s:enc:aescbc:v1:key1:" + sealed
    assert chain(keyed("aescbc")).open(value, PLACE) == (b'{"kind":"Secret"}', False)


def test_aesgcm_reads_the_vector_of_its_specification() -> None:
    # McGrew and Viega, The Galois/Counter Mode of Operation, test case 4
    cipher = ALGORITHMS["aesgcm"].cipher(bytes.fromhex("feffe9928665731c6d6a8f9467308308"))
    plain = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e24"
        "49a6b525b16aedf5aa0de657ba637b39"
    )
    sealed = bytes.fromhex(
        "cafebabefacedbaddecaf888"
        "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5a"
        "ac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47"
    )
    place = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    assert cipher.open(sealed, place) == plain


def test_secretbox_reads_what_its_definition_gives() -> None:
    # computed with XSalsa20 and Poly1305 written out from their definitions
    sealed = bytes.fromhex(
        "6465666768696a6b6c6d6e6f707172737475767778797a7b"
        "aa93d2c2be2ff25c283a43ccfaa1df9f799bf2a054d2ecd392ae46f745e1d73a43"
    )
    value = b"k8s:enc:secretbox:v1:key1:" + sealed
    assert chain(keyed("secretbox")).open(value, PLACE) == (b'{"kind":"Secret"}', False)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 5000])
def test_what_is_sealed_is_opened_again(algorithm: str, length: int) -> None:
    sealing, plain = chain(keyed(algorithm)), b"x" * length
    sealed = sealing.seal(plain, PLACE)
    assert sealed.startswith(f"k8s:enc:{algorithm}:v1:key1:".encode())
    assert sealed != sealing.seal(plain, PLACE)
    assert sealing.open(sealed, PLACE) == (plain, False)


def test_every_key_reads_and_only_the_first_writes() -> None:
    old, new = chain(keyed("aescbc", ["old"])), chain(keyed("aescbc", ["new", "old"], first=31))
    both = chain(keyed("secretbox", ["box"]), keyed("aescbc", ["old"]), {"identity": {}})
    sealed = old.seal(b"value", PLACE)
    assert both.open(sealed, PLACE) == (b"value", True)
    assert both.open(b"{}", PLACE) == (b"{}", True)
    assert both.seal(b"value", PLACE).startswith(b"k8s:enc:secretbox:v1:box:")
    assert new.seal(b"value", PLACE).startswith(b"k8s:enc:aescbc:v1:new:")


def test_a_second_key_of_the_same_provider_is_stale() -> None:
    sealed = chain(keyed("aescbc", ["old"], first=1)).seal(b"value", PLACE)
    assert chain(keyed("aescbc", ["new", "old"])).open(sealed, PLACE) == (b"value", True)


def test_two_providers_of_one_kind_are_both_tried() -> None:
    sealed = chain(keyed("aescbc", ["old"], first=1)).seal(b"value", PLACE)
    both = chain(keyed("aescbc", ["new"]), keyed("aescbc", ["old"], first=1))
    assert both.open(sealed, PLACE) == (b"value", True)


def test_a_value_moved_to_another_key_of_the_store_is_not_believed() -> None:
    sealing = chain(keyed("aesgcm"))
    with pytest.raises(UndecryptableError, match="cipher: message authentication failed"):
        sealing.open(sealing.seal(b"value", PLACE), b"/registry/secrets/default/b")


@pytest.mark.parametrize(
    ("sealing", "value", "text"),
    [
        (chain({"identity": {}}), b"k8s:enc:aescbc:v1:key1:", "no matching prefix found"),
        (PLAIN, b"k8s:enc:aescbc:v1:key1:", "identity transformer tried to read encrypted data"),
        (chain(keyed("aescbc")), b"{}", "no matching prefix found"),
        (
            chain(keyed("aescbc")),
            b"k8s:enc:aescbc:v1:other:" + bytes(32),
            "no matching key was found for the provided AES transformer",
        ),
        (
            chain(keyed("secretbox")),
            b"k8s:enc:secretbox:v1:other:" + bytes(64),
            "no matching key was found for the provided Secretbox transformer",
        ),
        (
            chain(keyed("aescbc")),
            b"k8s:enc:aescbc:v1:key1:short",
            "the stored data was shorter than the required size",
        ),
        (
            chain(keyed("aescbc")),
            b"k8s:enc:aescbc:v1:key1:" + bytes(33),
            "the stored data is not a multiple of the block size",
        ),
        (
            chain(keyed("aescbc")),
            b"k8s:enc:aescbc:v1:key1:" + bytes(16),
            "invalid PKCS7 data (empty or not padded)",
        ),
        (
            chain(keyed("aesgcm")),
            b"k8s:enc:aesgcm:v1:key1:" + bytes(40),
            "cipher: message authentication failed",
        ),
        (
            chain(keyed("secretbox")),
            b"k8s:enc:secretbox:v1:key1:" + bytes(64),
            "output array was not large enough for encryption",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_opened_says_why(sealing: Chain, value: bytes, text: str) -> None:
    with pytest.raises(UndecryptableError, match=f"^{re.escape(text)}$"):
        sealing.open(value, PLACE)
