"""What a server does when it is tried: writing below one mark, which is removed again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from sturdis.adapters.redis.link import Link
from sturdis.core.facts import Features, Refused, RoundTrip, Unseen
from sturdis.core.replies import Command, ErrorReply, Reply, text

KEY_SECONDS = 60
"""After this time the server itself drops a key that an interrupted trial left."""

WAKE_UP_SECONDS = "1.5"
"""Longest wait of the blocking read: a fraction, as BullMQ's; the write follows at once."""

NO_SUCH_SCRIPT = "f" * 40

REFUSING = ("OOM", "READONLY", "MISCONF", "LOADING", "NOREPLICAS", "BUSY")
"""How a server begins its reply that takes no writes now, whatever it is able to."""


def left_by(mark: str) -> tuple[str, ...]:
    """Name every key that the trials below `mark` may leave."""
    return (f"{mark}:roundtrip", *(f"{mark}:features:{part}" for part in _PARTS))


def round_trip(connection: Link, key: str) -> RoundTrip | Refused | Unseen:
    """Write a key, read it back, and delete it."""
    written = str(uuid4())
    replies = connection.call_all(
        [("SET", key, written, "EX", KEY_SECONDS), ("GET", key), ("DEL", key)]
    )
    for reply in replies:
        if isinstance(reply, ErrorReply):
            return (Unseen if reply.withheld else Refused)(reply.text)
    _set, read, deleted = replies
    return RoundTrip(
        key,
        written,
        None if read is None else text(read),
        deleted if isinstance(deleted, int) else 0,
    )


@dataclass(frozen=True)
class _Trial:
    """One feature: the commands that show it, and what the last of them must answer."""

    feature: str
    commands: Sequence[Command]
    there: Callable[[Reply], bool]


def features(connection: Link, other: Link, mark: str) -> Features | Unseen:
    """Try each feature that BullMQ needs; `other` is a second connection, to block on.

    Whatever is written expires, and is removed at the end.
    """
    trials = (*_scripts(mark), *_collections(mark), *_connections(mark))
    sent = [command for trial in trials for command in trial.commands]
    replies = iter(connection.call_all(sent))
    answers = [(one, [next(replies) for _ in one.commands]) for one in trials]
    wake_up = _wake_up(connection, other, f"{mark}:marker")
    _remove(connection, [f"{mark}:{part}" for part in _PARTS])
    every = [reply for _trial, given in answers for reply in given] + [wake_up]
    for reply in every:
        if isinstance(reply, ErrorReply) and _not_now(reply):
            return Unseen(f"not tried: {reply.text}")
    missing = {one.feature: text(given[-1]) for one, given in answers if not one.there(given[-1])}
    if not isinstance(wake_up, tuple):
        missing[_WAKE_UP] = "no wake-up" if wake_up is None else text(wake_up)
    return Features(missing, len(trials) + 1)


def _remove(connection: Link, left: Sequence[str]) -> None:
    if isinstance(connection.call("UNLINK", *left), ErrorReply):  # a user or a server without it
        connection.call("DEL", *left)


_PARTS = ("string", "list", "moved", "stream", "marker")
"""The keys that are written, after the mark."""

_WAKE_UP = "BZPOPMIN with a fraction of a second, woken by a script"


def _not_now(reply: ErrorReply) -> bool:
    return reply.forbidden or reply.text.startswith(REFUSING)


def _scripts(mark: str) -> tuple[_Trial, ...]:
    pack = "return cjson.encode(cmsgpack.unpack(cmsgpack.pack({1, 2})))"
    undeclared = "redis.call('SET', ARGV[1], 'x', 'PX', ARGV[2]) return redis.call('GET', ARGV[1])"
    key, milliseconds = f"{mark}:string", 1000 * KEY_SECONDS
    return (
        _Trial(
            "EVALSHA, NOSCRIPT",
            [("EVALSHA", NO_SUCH_SCRIPT, 0)],
            lambda reply: isinstance(reply, ErrorReply) and reply.text.startswith("NOSCRIPT"),
        ),
        _Trial("SCRIPT EXISTS", [("SCRIPT", "EXISTS", NO_SUCH_SCRIPT)], lambda it: it == (0,)),
        _Trial("cmsgpack and cjson", [("EVAL", pack, 0)], lambda reply: reply == b"[1,2]"),
        _Trial(
            "undeclared keys in scripts",
            [("EVAL", undeclared, 0, key, milliseconds)],
            lambda reply: reply == b"x",
        ),
        _Trial(
            "expiry in milliseconds",
            [("PTTL", key)],
            lambda reply: isinstance(reply, int) and 0 < reply <= milliseconds,
        ),
        _Trial("MULTI", [("MULTI",), ("GET", key), ("EXEC",)], lambda reply: reply == (b"x",)),
    )


def _collections(mark: str) -> tuple[_Trial, ...]:
    key, moved, stream = (f"{mark}:{part}" for part in ("list", "moved", "stream"))
    expire = ("EXPIRE", key, KEY_SECONDS)
    return (
        _Trial("LPOS", [("RPUSH", key, "a", "b"), expire, ("LPOS", key, "b")], lambda it: it == 1),
        _Trial("LSET", [("LSET", key, 1, "c")], lambda reply: reply == b"OK"),
        _Trial("RPOPLPUSH", [("RPOPLPUSH", key, moved)], lambda reply: reply == b"c"),
        _Trial(
            "XADD MAXLEN ~",
            [("EXPIRE", moved, KEY_SECONDS), ("XADD", stream, "MAXLEN", "~", 10, "*", "a", "b")],
            lambda reply: isinstance(reply, bytes),
        ),
        _Trial(
            "XREAD BLOCK",
            [("EXPIRE", stream, KEY_SECONDS), ("XREAD", "BLOCK", 100, "STREAMS", stream, 0)],
            lambda reply: isinstance(reply, tuple),
        ),
        _Trial("XTRIM", [("XTRIM", stream, "MAXLEN", 0)], lambda reply: reply == 1),
    )


def _connections(mark: str) -> tuple[_Trial, ...]:
    return (
        _Trial(
            "CLIENT SETNAME and LIST",
            [("CLIENT", "SETNAME", mark), ("CLIENT", "LIST")],
            lambda reply: isinstance(reply, bytes) and f"name={mark}".encode() in reply,
        ),
        # The protocol is looked at first, then the name, which is refused: nothing is switched.
        _Trial(
            "HELLO 3",
            [("HELLO", 3, "SETNAME", "no name")],
            lambda reply: isinstance(reply, ErrorReply) and "name" in reply.text,
        ),
    )


def _wake_up(connection: Link, other: Link, key: str) -> Reply:
    """Block on a sorted set, let a script write to it, and give what the blocked one was told."""
    # The server answers PING only with the whole packet read: then it blocks.
    other.send(("PING",), ("BZPOPMIN", key, WAKE_UP_SECONDS))
    other.receive()
    write = "redis.call('ZADD', KEYS[1], 0, '0') return redis.call('EXPIRE', KEYS[1], ARGV[1])"
    written = connection.call("EVAL", write, 1, key, KEY_SECONDS)
    told = other.receive()
    return written if isinstance(written, ErrorReply) else told
