"""Which commands stand in an append-only file: their names, and how many words each has.

A server ends its start at a name that it does not know, and does not count the words: a bit that
flips in either has to be found before. docs/adr/0052.
"""

from collections.abc import Sequence

ARITIES: tuple[tuple[int, str], ...] = (
    (-1, "FLUSHALL FLUSHDB"),
    (1, "EXEC MULTI"),
    (
        -2,
        (
            "BITFIELD CLUSTER DEL FUNCTION GETEX LPOP PFADD PFMERGE RPOP SORT SPOP UNLINK "
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
write, and SELECT, MULTI, EXEC: what COMMAND told on Redis 7.0 and 8.0, Valkey 8.1 and 9.1."""

KNOWN: dict[bytes, int] = {
    name.encode(): words for words, names in ARITIES for name in names.split()
}

SUBCOMMANDS: dict[bytes, frozenset[bytes]] = {
    b"CLUSTER": frozenset({b"FLUSHSLOT"}),
    b"FUNCTION": frozenset({b"DELETE", b"FLUSH", b"LOAD", b"RESTORE"}),
    b"XGROUP": frozenset({b"CREATE", b"CREATECONSUMER", b"DELCONSUMER", b"DESTROY", b"SETID"}),
}


def fits(words: Sequence[bytes]) -> bool:
    """Tell whether a server loads the command `words`, and it is one that writes."""
    name = words[0].upper()
    wanted = KNOWN.get(name)
    if wanted is None or not (len(words) == wanted or len(words) >= -wanted > 0):
        return False
    if name == b"SELECT":
        return words[1].isdigit()
    return name not in SUBCOMMANDS or words[1].upper() in SUBCOMMANDS[name]
