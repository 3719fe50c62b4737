"""Who may do what on a server with passwords: three users, their rules as data. docs/adr/0032.

Only commands that Redis 7.0 knows: a server does not start on a rule that it does not know.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class User:
    """A user of the server."""

    name: str
    variable: str
    """Environment variable of the container `redis` that holds the password."""
    rules: tuple[str, ...]


LOST: tuple[tuple[str, str], ...] = (
    ("-flushall", "empties the server"),
    ("-flushdb", "empties the queues' database"),
    ("-swapdb", "puts another database in the queues' place"),
    ("-debug", "can crash the server, and replace its data"),
    ("-shutdown", "stops it; `nosave` and `force` beside"),
    ("-replicaof", "replaces its data by another server's"),
    ("-slaveof", "its older name"),
    ("-failover", "hands the role to a replica"),
    ("-migrate", "moves keys to another server"),
    ("-sync", "a replica forks the server for a full copy"),
    ("-psync", "the same"),
    ("-save", "blocks until a snapshot is written that nothing here reads"),
    ("-bgsave", "forks for it, beside the append-only file"),
    ("-keys", "blocks for as long as all keys take; SCAN does not"),
    ("-client|pause", "holds back all clients"),
    ("-module", "loads code into the server"),
    ("-config", "would undo maxmemory, fsync and the rest of redis.conf"),
    ("+config|get", "reading it is what clients and checks do"),
    ("-acl", "would undo these rules"),
    ("+acl|whoami", "says only who asks"),
)
"""What the application is refused, and given back, each with the reason; in this order."""

EXPORTER_READS: tuple[str, ...] = (
    "+ping", "+info", "+config|get", "+slowlog|get", "+slowlog|len", "+latency|latest",
    "+latency|histogram", "+client|setname", "+client|list", "+cluster|info",
    "+select", "+scan", "+type", "+strlen", "+pfcount", "+llen", "+scard", "+zcard", "+hlen",
    "+xlen", "+memory|usage", "+eval", "+evalsha",
)  # fmt: skip
"""What redis_exporter asks: no value of a key is among it, and its script may do no more."""

APPLICATION = User(
    "default", "REDISCLI_AUTH", ("~*", "&*", "+@all", *(rule for rule, _reason in LOST))
)
"""The user that clients are who name none: BullMQ needs every key and channel."""

EXPORTER = User("exporter", "EXPORTER_PASSWORD", ("%R~*", "resetchannels", *EXPORTER_READS))

STURDIS = User("sturdis", "STURDIS_PASSWORD", ("~*", "&*", "+@all"))
"""Who mends and measures."""

USERS = (APPLICATION, EXPORTER, STURDIS)
