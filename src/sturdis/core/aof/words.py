"""Words in a line, as Redis' files quote them: plain, or between quotes with escapes."""

import re

_WORD = re.compile(
    rb"""(?P<plain>[^ \n\r\t"']*)
         (?:"(?P<double>(?:\\.|[^"\\])*)"|'(?P<single>(?:\\'|[^'])*)')?
         (?=[ \n\r\t\v\f]|\Z)""",
    re.VERBOSE | re.DOTALL,
)
_BLANKS = re.compile(rb"[ \n\r\t\v\f]*")
_ESCAPE = re.compile(rb"\\(?:x(?P<code>[0-9a-fA-F]{2})|(?P<letter>.))", re.DOTALL)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"a": b"\a"}
_WRITTEN = {byte[0]: b"\\" + letter for letter, byte in _LETTERS.items()}
_WRITTEN |= {ord('"'): b'\\"', ord("\\"): b"\\\\"}


def split(line: bytes) -> list[bytes]:
    """Part a line into its words.

    Raises:
        ValueError: A quote is not closed, or text follows right behind one that is.
    """
    found = []
    at = _blanks(line, 0)
    while at < len(line):
        word = _WORD.match(line, at)
        if word is None:
            raise ValueError("a quote is not closed, or not followed by a space")
        double = _ESCAPE.sub(_meant, word["double"] or b"")
        single = (word["single"] or b"").replace(b"\\'", b"'")
        found.append(word["plain"] + double + single)
        at = _blanks(line, word.end())
    return found


def quoted(word: bytes) -> bytes:
    """Write a word so that `split` gives it back: as it is, or between double quotes."""
    if word and all(0x21 <= byte <= 0x7E and byte not in b"\"'\\" for byte in word):  # noqa: PLR2004  printable
        return word
    return b'"' + b"".join(map(_written, word)) + b'"'


def _blanks(line: bytes, at: int) -> int:
    blanks = _BLANKS.match(line, at)
    return at if blanks is None else blanks.end()


def _meant(escape: re.Match[bytes]) -> bytes:
    if escape["code"] is not None:
        return bytes.fromhex(escape["code"].decode())
    letter: bytes = escape["letter"]
    return _LETTERS.get(letter, letter)


def _written(byte: int) -> bytes:
    if byte in _WRITTEN:
        return _WRITTEN[byte]
    return bytes((byte,)) if 0x20 <= byte <= 0x7E else b"\\x%02x" % byte  # noqa: PLR2004  printable
