"""The tokens of label selector text. Called by label_selector.py only.

"in" and "notin" are operators where an operator may stand and plain identifiers everywhere else.
"""

from __future__ import annotations

from typing import Final, NamedTuple

IDENTIFIER: Final = "identifier"
END: Final = "end"
_SYMBOLS: Final = frozenset({")", ",", "!", "==", "=", ">", "<", "!=", "("})
_SPECIAL: Final = frozenset("=!(),><")
_SPACE: Final = frozenset(" \t\r\n")
_WORDS: Final = frozenset({"in", "notin"})


class Token(NamedTuple):
    """`kind` is a symbol itself, IDENTIFIER, END, "in" or "notin"; `text` is what errors quote."""

    kind: str
    text: str


class Tokens:
    """A cursor over the tokens of one selector; the end repeats for ever."""

    def __init__(self, text: str) -> None:
        """Split the text; a NUL ends it, as it does upstream."""
        self._tokens = _scan(text.partition("\0")[0])
        self._position = 0

    def peek(self) -> Token:
        """Return the next token, "in" and "notin" being identifiers."""
        return _as_value(self._current())

    def take(self) -> Token:
        """Consume and return the next token, "in" and "notin" being identifiers."""
        return _as_value(self.take_operator())

    def take_operator(self) -> Token:
        """Consume and return the next token, "in" and "notin" being operators."""
        token = self._current()
        self._position += 1
        return token

    def _current(self) -> Token:
        return self._tokens[min(self._position, len(self._tokens) - 1)]


def _as_value(token: Token) -> Token:
    return Token(IDENTIFIER, token.text) if token.kind in _WORDS else token


def _scan(text: str) -> list[Token]:
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        if text[position] in _SPACE:
            position += 1
            continue
        scan = _symbol if text[position] in _SPECIAL else _word
        token, position = scan(text, position)
        tokens.append(token)
    return [*tokens, Token(END, "")]


def _symbol(text: str, start: int) -> tuple[Token, int]:
    """Take the longest symbol; every special character begins one."""
    length = 2 if text[start : start + 2] in _SYMBOLS else 1
    symbol = text[start : start + length]
    return Token(symbol, symbol), start + length


def _word(text: str, start: int) -> tuple[Token, int]:
    end = start
    while end < len(text) and text[end] not in _SPECIAL and text[end] not in _SPACE:
        end += 1
    word = text[start:end]
    return Token(word if word in _WORDS else IDENTIFIER, word), end
