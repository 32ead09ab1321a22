"""A test for UTF-8 in SQLite's own functions: can other programs read a blob that is cast to text?

SQLite keeps any bytes as text, and a client that decodes them fails. So every byte of a sequence is
replaced by a control character that names its class, and then classes that may follow each other by
one that says what is still missing, until a whole sequence has become a letter. What is left over
was no UTF-8. Each step is one `replace` over the whole text: 0.2 ms for 2 KB, 0.4 s for 1.5 MB.

Source: the table of well-formed byte sequences of the Unicode standard (3-7).
"""

_LOW, _MIDDLE, _HIGH = 1, 2, 3  # continuation bytes: 80-8F, 90-9F, A0-BF
_ONE_MORE = 4  # C2-DF, and whatever lacks one continuation byte of any kind
_AFTER_E0, _TWO_MORE, _AFTER_ED = 5, 6, 7
_AFTER_F0, _THREE_MORE, _AFTER_F4 = 8, 14, 15  # not 9 to 13: white space may stand in JSON
_WHOLE = ord("a")
_ANY = (_LOW, _MIDDLE, _HIGH)
_SPECIAL = {0xE0: _AFTER_E0, 0xED: _AFTER_ED, 0xF0: _AFTER_F0, 0xF4: _AFTER_F4}

# In this order: each makes what the next one takes.
_MAY_FOLLOW = (
    (_AFTER_F0, (_MIDDLE, _HIGH), _TWO_MORE),
    (_THREE_MORE, _ANY, _TWO_MORE),
    (_AFTER_F4, (_LOW,), _TWO_MORE),
    (_AFTER_E0, (_HIGH,), _ONE_MORE),
    (_TWO_MORE, _ANY, _ONE_MORE),
    (_AFTER_ED, (_LOW, _MIDDLE), _ONE_MORE),
    (_ONE_MORE, _ANY, _WHOLE),
)


def _class_of(byte: int) -> int:
    if byte < 0xC0:
        return _LOW if byte < 0x90 else _MIDDLE if byte < 0xA0 else _HIGH
    if byte in _SPECIAL:
        return _SPECIAL[byte]
    return _ONE_MORE if byte < 0xE0 else _TWO_MORE if byte < 0xF0 else _THREE_MORE


_BYTES = bytes([*range(0x80, 0xC0), *range(0xC2, 0xF5)])
_PAIRS = [(first, second, becomes) for first, all_, becomes in _MAY_FOLLOW for second in all_]
_FOUND = _BYTES + b"".join(bytes(pair[:2]) for pair in _PAIRS)
_PUT = bytes(map(_class_of, _BYTES)) + bytes(pair[2] for pair in _PAIRS)
_STEPS = len(_PUT)
_SINGLES = len(_BYTES)

# {0} is the blob, which holds neither a zero byte nor a control character but white space.
IS_UTF8 = f"""(
  WITH RECURSIVE reduced(step, rest) AS (
    SELECT 0, CAST({{0}} AS TEXT)
    UNION ALL
    SELECT step + 1, replace(
      rest,
      CAST(CASE WHEN step < {_SINGLES} THEN substr(x'{_FOUND.hex()}', step + 1, 1)
                ELSE substr(x'{_FOUND.hex()}', 2 * step - {_SINGLES - 1}, 2) END AS TEXT),
      CAST(substr(x'{_PUT.hex()}', step + 1, 1) AS TEXT)
    ) FROM reduced WHERE step < {_STEPS}
  )
  SELECT rest NOT GLOB '*[^ -~' || char(9) || char(10) || char(13) || char(127) || ']*'
  FROM reduced WHERE step = {_STEPS}
)"""
