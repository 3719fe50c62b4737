"""Which server it is, what is known of it, how it is configured, and its room for clients."""

from sturdis.core import known_defects, servers
from sturdis.core.checks.judgement import (
    Check,
    Judgement,
    UndecidedError,
    failed,
    info,
    known,
    number,
    passed,
    percent,
    unknown,
    warned,
)
from sturdis.core.facts import ServerFacts
from sturdis.core.render import redis_conf
from sturdis.core.render.redis_conf import Place
from sturdis.core.servers import Product, Version
from sturdis.core.spec import Spec

CLIENTS_WARN = 80
"""Per cent of maxclients: docs/adr/0028."""

CLIENTS_FAIL = 95
"""Per cent of maxclients: docs/adr/0028."""

JUDGED_ELSEWHERE = frozenset(
    {
        "appendfsync", "appendonly", "bind", "dir", "maxmemory-policy", "port", "protected-mode",
        "save",
    }
)  # fmt: skip
"""Settings with a check of their own, or that differ from place to place."""

OTHER_PRODUCTS = {"dragonfly_version": "dragonfly", "keydb_version": "keydb"}
"""Fields of INFO by which servers that call themselves Redis are told apart."""


def _version(_spec: Spec, facts: ServerFacts) -> Judgement:
    for field, other in OTHER_PRODUCTS.items():
        if field in known(facts.info, f"{facts.cli} info server"):
            return _untested(f"{other} {info(facts, field)}")
    product, version = _release(facts)
    name = f"{product} {servers.dotted(version)}"
    if version[:2] in servers.TESTED[product]:
        return passed(f"{name}, of the test matrix")
    return _untested(name)


def _untested(name: str) -> Judgement:
    tested = (
        f"{product} {major}.{minor}"
        for product, releases in servers.TESTED.items()
        for major, minor in releases
    )
    return warned(f"{name} is untested", f"run one of the test matrix: {', '.join(tested)}")


def _defects(_spec: Spec, facts: ServerFacts) -> Judgement:
    product, version = _release(facts)
    found = known_defects.of(product, version)
    if not found:
        return passed("none known")
    open_ones = [one for one in found if one.costs_jobs and not (one.guarded and facts.guarded)]
    seen = "; ".join(_told(one, facts) for one in (open_ones or found))
    if open_ones:
        return warned(seen, "; ".join(one.do for one in open_ones))
    return passed(seen)


def _told(one: known_defects.Defect, facts: ServerFacts) -> str:
    closed = " (closed by the guard)" if one.guarded and facts.guarded else ""
    return f"{one.what} [{one.reference}]{closed}"


def _release(facts: ServerFacts) -> tuple[Product, Version]:
    fields = known(facts.info, f"{facts.cli} info server")
    product: Product = "valkey" if "valkey_version" in fields else "redis"
    text = info(facts, f"{product}_version")
    parts = text.split(".")
    if len(parts) != len(servers.OLDEST) or not all(part.isdecimal() for part in parts):
        raise UndecidedError(
            unknown(f"INFO says {product}_version:{text}", f"{facts.cli} info server")
        )
    major, minor, patch = map(int, parts)
    return product, (major, minor, patch)


def _configuration(spec: Spec, facts: ServerFacts) -> Judgement:
    config = known(facts.config, f"{facts.cli} config get '*'")
    wanted = {name: value for name, value in _promised(spec) if name in config}
    if not wanted:
        raise UndecidedError(
            unknown("none of its settings was seen", f"{facts.cli} config get '*'")
        )
    if config.get("maxmemory") == "0":  # told by its own check
        wanted.pop("maxmemory", None)
    drift = {name: value for name, value in wanted.items() if config[name] != value}
    if not drift:
        return passed(f"{len(wanted)} settings as in the redis.conf of the spec")
    seen = "; ".join(f"{name} {config[name]}, not {value}" for name, value in drift.items())
    do = " && ".join(f"{facts.cli} config set {name} {value}" for name, value in drift.items())
    return warned(seen, do)


def _promised(spec: Spec) -> list[tuple[str, str]]:
    return [
        (one.name, " ".join(one.arguments))
        for one in redis_conf.directives(spec, Place("/", "127.0.0.1", 0))
        if one.name not in JUDGED_ELSEWHERE
    ]


def settings_looked_at() -> tuple[str, ...]:
    """Name every setting that a check looks at."""
    promised = (name for name, _value in _promised(Spec()))
    return tuple(sorted({*promised, *JUDGED_ELSEWHERE, "disable-thp"}))


def _clients(_spec: Spec, facts: ServerFacts) -> Judgement:
    connected, most = number(facts, "connected_clients"), number(facts, "maxclients")
    blocked, rejected = number(facts, "blocked_clients"), number(facts, "rejected_connections")
    seen = f"{connected} of {most} connections, {blocked} of them blocked; {rejected} were rejected"
    do = f"{facts.cli} client list; then share connections, or {facts.cli} config set maxclients N"
    share = percent(connected, most)
    if share > CLIENTS_FAIL:
        return failed(seen, do)
    return warned(seen, do) if share > CLIENTS_WARN or rejected else passed(seen)


SERVER = (
    Check(
        "server.version",
        "its release is of the test matrix",
        "What Sturdis promises was tried on those; of others nothing is known.",
        _version,
    ),
    Check(
        "server.defects",
        "no known defect of its release costs jobs here",
        "A defect that is known can be closed before it costs anything.",
        _defects,
    ),
    Check(
        "configuration",
        "the other settings are those of the redis.conf of the spec",
        "A setting changed by hand is gone, or comes back, at the next restart.",
        _configuration,
    ),
    Check(
        "clients",
        "there is room for more connections, and none was turned away",
        "A worker takes two connections; one that is turned away works on nothing.",
        _clients,
    ),
)
"""Checks on the server program and its configuration."""
