"""What the last words of a server that ended mean, and what mends it."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Meaning:
    """Why it ended, and what to do."""

    why: str
    do: str
    says_all: bool = False
    """Whether the log's own lines would only repeat it."""


OURS = re.compile(r"^error\[(?P<code>[a-z_.]+)\]: (?P<what>.*)$", re.MULTILINE)
WHY = re.compile(r"^why: +(?P<text>.*)$", re.MULTILINE)
DO = re.compile(r"^do: +(?P<text>.*)$", re.MULTILINE)
"""What the start script prints before it refuses to start the server."""

WORDS: tuple[tuple[str, Meaning], ...] = (
    (
        r"No space left on device",
        Meaning("the volume is full", "grow the volume, or remove what does not belong there"),
    ),
    (
        r"Can't handle RDB format version",
        Meaning(
            "the data was written by a newer server than this image",
            "name an image at least as new as the one that wrote it as engine.image",
        ),
    ),
    (
        r"Bad file format reading the append only file|Unexpected end of file reading the append",
        Meaning(
            "the append-only file is damaged",
            "take a copy of the volume first; redis-check-aof --fix would cut all that follows",
        ),
    ),
    (
        r"Can't open or create append-only dir|(?:/data|AOF|append only).*(?:denied|Read-only)",
        Meaning(
            "the server may not write to its volume",
            "the volume must belong to group 999: its driver has to honour fsGroup",
        ),
    ),
    (
        r"FATAL CONFIG FILE ERROR|Bad directive or wrong number of arguments",
        Meaning(
            "the server does not understand its configuration",
            "the image is older than 7.0, or no Redis or Valkey: mend engine.image",
        ),
    ),
    (
        r"Could not create server TCP listening socket|Failed listening on port",
        Meaning("the server cannot listen on its port", "look for a second server in the pod"),
    ),
    (
        r"exec format error",
        Meaning(
            "the image is for another processor than the node's",
            "name an image for the node's architecture as engine.image",
        ),
    ),
    (
        r"redis-server: (?:command )?not found|valkey-server: (?:command )?not found",
        Meaning(
            "the image holds no such server", "engine.kind and engine.image must fit each other"
        ),
    ),
    (
        r"WRONGPASS|NOAUTH",
        Meaning(
            "the password is not the server's",
            "the Secret changed after the pod started: delete the pod, and it starts with the new",
        ),
    ),
    (
        r"Out Of Memory allocating|Cannot allocate memory",
        Meaning("the server got no more memory", "raise memory.limit in the spec"),
    ),
)
"""What to look for, in this order, and what it means. Texts of Redis 7.0 to 8.0 and Valkey 8.1 to
9.1, of sh, and of container runtimes."""


def meaning(log: str) -> Meaning | None:
    """Give what the last lines of a log mean; None: nothing that is known."""
    ours = list(OURS.finditer(log))
    if ours:
        told = log[ours[-1].start() :]
        why, do = WHY.search(told), DO.search(told)
        what = ours[-1]["what"]
        return Meaning(
            f"{what}: {why['text']}" if why else what,
            do["text"] if do else "sturdis verify    tells more",
            says_all=True,
        )
    return next((one for words, one in WORDS if re.search(words, log)), None)
