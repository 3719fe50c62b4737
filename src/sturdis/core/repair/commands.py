"""Which commands stand in an append-only file: their names, and how many words each has.

A server ends its start at a name that it does not know, and does not count the words: a bit that
flips in either has to be found before. docs/adr/0052.
"""

import itertools
import operator
import re
from collections.abc import Iterator, Mapping

from sturdis.core.aof.scan import NAME_BYTES
from sturdis.core.repair import units

MOST_OTHERS = 10_000
"""So many names that no table has are remembered at once."""

ARITIES: tuple[tuple[int, str], ...] = (
    (-1, "FLUSHALL FLUSHDB"),
    (1, "EXEC MULTI"),
    (
        -2,
        (
            "BITFIELD CLUSTER DEL FUNCTION GETEX LPOP PFADD PFCOUNT PFMERGE RPOP SORT SPOP UNLINK "
            "VADD VREM VSETATTR XGROUP ZPOPMAX ZPOPMIN"
        ),
    ),
    (2, "DECR GETDEL INCR PERSIST SELECT"),
    (
        -3,
        (
            "BLPOP BRPOP BZPOPMAX BZPOPMIN COPY EXPIRE EXPIREAT HDEL LPUSH LPUSHX MSET "
            "MSETNX PEXPIRE PEXPIREAT RPUSH RPUSHX SADD SDIFFSTORE SET SINTERSTORE SREM "
            "SUNIONSTORE XDEL XSETID ZREM"
        ),
    ),
    (
        3,
        (
            "APPEND DECRBY DELIFEQ GETSET INCRBY INCRBYFLOAT MOVE PFDEBUG RENAME RENAMENX "
            "RPOPLPUSH SETNX SWAPDB"
        ),
    ),
    (
        -4,
        (
            "BITOP HMSET HSET LMPOP MSETEX RESTORE RESTORE-ASKING XACK XTRIM ZADD "
            "ZDIFFSTORE ZINTERSTORE ZMPOP ZUNIONSTORE"
        ),
    ),
    (
        4,
        (
            "BRPOPLPUSH HINCRBY HINCRBYFLOAT HSETNX LREM LSET LTRIM PSETEX SETBIT SETEX "
            "SETRANGE SMOVE ZINCRBY ZREMRANGEBYLEX ZREMRANGEBYRANK ZREMRANGEBYSCORE"
        ),
    ),
    (
        -5,
        "BLMPOP BZMPOP GEOADD GEORADIUSBYMEMBER HGETDEL HGETEX HPERSIST XADD ZRANGESTORE",
    ),
    (5, "LINSERT LMOVE"),
    (
        -6,
        "GEORADIUS HEXPIRE HEXPIREAT HPEXPIRE HPEXPIREAT HSETEX MIGRATE XAUTOCLAIM XCLAIM",
    ),
    (6, "BLMOVE"),
    (-7, "XREADGROUP"),
    (-8, "GEOSEARCHSTORE"),
)
"""Words of a command, its name included, or so many at least where negative, with the commands that
write, and SELECT, MULTI, EXEC: what COMMAND told on Redis 7.0 and 8.0, Valkey 8.1 and 9.1.
PFCOUNT is among them: it writes down what it counted."""

KNOWN: dict[bytes, int] = {
    name.encode(): words for words, names in ARITIES for name in names.split()
}

_SANE = re.compile(rb"[A-Z][A-Z0-9._|-]+")
"""How servers and modules name commands."""

EXEC = re.compile(rb"\*1\r\n\$4\r\n(?i:EXEC)\r\n")
_EDGE = re.compile(rb"\*1\r\n\$(?:5\r\n(?i:MULTI)|4\r\n(?i:EXEC))\r\n")

NEAR = 1 << 20
"""How far before damage, in bytes, a command is looked for that is a part of it."""

FEWEST = 2
"""So many commands of one name are no accident: bits that flip do not do so twice alike."""


class Others:
    """Commands that no table names: those of modules, and those that came later.

    They are kept, or all that a module wrote would be lost; a server that lacks them refuses the
    result. But a name that stands in the file once, and differs from a known one in one byte, is
    a damaged one; and so is one right before a byte that does not fit, unless it has a point in
    it, as those of modules have: `$5 MU` and `ats` of another place make MUATS.

    Args:
        text: The file.
        arities: The commands that are known, as for `core/aof/scan.run`.
    """

    def __init__(self, text: bytes, arities: Mapping[bytes, int]) -> None:
        self._text = text
        self._arities = arities
        self._told: dict[bytes, bool] = {}
        self._last: bytes | None = None
        """The name that was taken for a command's last."""

    def __call__(self, name: bytes) -> bool:
        """Tell whether a name, in capitals, is that of a command."""
        if name not in self._told:
            if len(self._told) >= MOST_OTHERS:
                self._told.clear()
            self._told[name] = bool(_SANE.fullmatch(name)) and (
                not self._is_near(name) or self._stands_again(name)
            )
        if self._told[name]:
            self._last = name
        return self._told[name]

    def damaged_before(self, start: int, end: int) -> int | None:
        """Give where a command stands that is a part of the damage at `end`; None: none is.

        It stands right before it, or among the commands of a transaction that lost its MULTI.

        Args:
            start: Where what was read last begins.
            end: Where the damage begins, outside of a transaction.
        """
        name, self._last = self._last, None
        if name is None or b"." in name or len(name) >= NAME_BYTES or self._stands_again(name):
            return None
        floor = max(start, end - NEAR)
        for head in self._heads(name, self._text[floor:end]):
            at = floor + head.start()
            behind = next(units.commands(self._text, at, end)).end
            is_alone = EXEC.match(self._text, end) and not _EDGE.search(self._text, behind, end)
            return at if behind == end or is_alone else None
        return None

    def _is_near(self, name: bytes) -> bool:
        return any(
            len(one) == len(name) and sum(map(operator.ne, one, name)) == 1 for one in self._arities
        )

    def _stands_again(self, name: bytes) -> bool:
        heads = self._heads(name, self._text)
        return len(list(itertools.islice(heads, FEWEST))) == FEWEST

    def _heads(self, name: bytes, text: bytes) -> Iterator[re.Match[bytes]]:
        """Find what commands of a name begin with."""
        return re.finditer(
            rb"\*[1-9][0-9]{0,6}\r\n\$%d\r\n(?i:%b)\r\n" % (len(name), re.escape(name)), text
        )
