"""What BullMQ's scripts leave in an increment, for a queue `bull:mails`."""

from tests.core.append_only import EXEC, MULTI, command

BASE = b"bull:mails"
SELECT = command(b"SELECT", b"0")


def unit(*commands: bytes) -> bytes:
    return MULTI + b"".join(commands) + EXEC


def add(number: int, data: bytes = b"{}") -> bytes:
    """Add job `number`, which waits."""
    name = b"%d" % number
    return unit(
        command(b"INCR", BASE + b":id"),
        command(b"HMSET", BASE + b":" + name, b"name", b"a", b"data", data, b"timestamp", b"1"),
        command(b"LPUSH", BASE + b":wait", name),
        event(number, 0),
    )


def fetch(number: int) -> bytes:
    """Let a worker take what stands last in `wait`, which was job `number`."""
    key = BASE + b":%d" % number
    return unit(
        command(b"RPOPLPUSH", BASE + b":wait", BASE + b":active"),
        command(b"SET", key + b":lock", b"token"),
        event(number, 1),
        command(b"HMSET", key, b"processedOn", b"1"),
        command(b"HINCRBY", key, b"ats", b"1"),
    )


def complete(number: int) -> bytes:
    """Let the worker finish it."""
    name = b"%d" % number
    return unit(
        command(b"DEL", BASE + b":" + name + b":lock"),
        command(b"LREM", BASE + b":active", b"-1", name),
        command(b"ZADD", BASE + b":completed", b"1795626789482", name),
        command(b"HSET", BASE + b":" + name, b"returnvalue", b"1", b"finishedOn", b"2"),
        event(number, 2),
    )


def event(number: int, step: int) -> bytes:
    stamp = b"%d-%d" % (1_795_626_789_000 + number, step)
    return command(b"XADD", BASE + b":events", stamp, b"jobId", b"%d" % number)


def flipped(text: bytes, at: int) -> bytes:
    """Flip a bit of one byte."""
    return text[:at] + bytes((text[at] ^ 0x80,)) + text[at + 1 :]
