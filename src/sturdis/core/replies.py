"""Replies of a Redis server as values, and as text: as redis-cli shows them, bare, or JSON."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorReply:
    """An error that the server answered with, in its own words: `OOM command not allowed …`."""

    text: str

    @property
    def forbidden(self) -> bool:
        """Whether the ACL keeps the command, or its keys, from this user."""
        return any(sign in self.text for sign in _FORBIDDEN)

    @property
    def withheld(self) -> bool:
        """Whether the command is not this user's to give: forbidden, renamed, or not known."""
        return self.forbidden or any(sign in self.text.lower() for sign in _UNKNOWN)


Reply = bytes | int | None | ErrorReply | Sequence["Reply"]
"""A reply of RESP2. Status replies and strings are both bytes."""

Command = Sequence[str | bytes | int]
"""What is replied to: a command, word by word."""

STATUS = (b"OK", b"PONG", b"QUEUED")
"""Replies that redis-cli shows without quotes. A stored value spelt so looks the same here."""


_FORBIDDEN = ("NOPERM", "can't run this command", "ACL failure in script", "no permissions to")
"""What servers say to a command that the ACL forbids, in a script too."""

_UNKNOWN = ("unknown command", "unknown subcommand")
"""What servers say to a command that they do not know, or know by another name."""


def for_people(reply: Reply, *, prose: bool = False) -> str:
    """Give a reply as redis-cli shows it on a terminal: quoted, numbered, typed.

    With `prose`, a string of several lines is a text such as that of INFO, and shown as it is.
    """
    if prose and isinstance(reply, bytes) and b"\n" in reply:
        return "\n".join(reply.decode(errors="replace").splitlines())
    return "\n".join(_lines(reply, status=True))


def text(reply: Reply) -> str:
    """Give a reply's text, whatever its kind."""
    if isinstance(reply, ErrorReply):
        return reply.text
    return reply.decode(errors="replace") if isinstance(reply, bytes) else str(reply)


def bare(reply: Reply) -> bytes:
    """Give a reply as redis-cli prints it into a pipe: the bytes alone, a line per element."""
    match reply:
        case None:
            return b""
        case bytes():
            return reply
        case int():
            return str(reply).encode()
        case ErrorReply(text=text):
            return text.encode()
        case _:
            return b"\n".join(map(bare, reply))


def jsonable(reply: Reply) -> object:
    """Give a reply as JSON can hold it; bytes that are not UTF-8 become U+FFFD."""
    match reply:
        case bytes():
            return reply.decode(errors="replace")
        case ErrorReply(text=text):
            return {"error": text}
        case None | int():
            return reply
        case _:
            return [jsonable(item) for item in reply]


def _lines(reply: Reply, *, status: bool = False) -> list[str]:
    match reply:
        case None:
            return ["(nil)"]
        case bytes():
            plain = status and (reply in STATUS or reply.startswith(b"Background "))
            return [reply.decode() if plain else _quoted(reply)]
        case int():
            return [f"(integer) {reply}"]
        case ErrorReply(text=text):
            return [f"(error) {text}"]
        case _:
            return _numbered(reply) or ["(empty array)"]


def _numbered(items: Sequence[Reply]) -> list[str]:
    width = len(str(len(items)))
    lines = []
    for number, item in enumerate(items, start=1):
        first, *rest = _lines(item)
        lines.append(f"{number:>{width}}) {first}")
        lines.extend(" " * (width + 2) + line for line in rest)
    return lines


def _quoted(value: bytes) -> str:
    """Write bytes between quotes, all that is not printable ASCII escaped."""
    escapes = {
        ord('"'): '\\"',
        ord("\\"): "\\\\",
        10: "\\n",
        13: "\\r",
        9: "\\t",
        7: "\\a",
        8: "\\b",
    }
    shown = (
        escapes.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}")  # noqa: PLR2004  printable
        for byte in value
    )
    return '"' + "".join(shown) + '"'
