"""What a check is, and how the facts are read for it: what was not seen makes it unknown."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sturdis.core.cluster import Manifest, Ref
from sturdis.core.cluster_facts import ClusterFacts, LiveObject
from sturdis.core.facts import NOT_TRIED, Machine, NotVisible, ServerFacts, Unseen
from sturdis.core.report import Verdict
from sturdis.core.spec import Spec

Seen = TypeVar("Seen")

WRITING = "sturdis verify without --read-only: it writes below sturdis:verify, and removes that"
"""What to type where a fact was not to be tried."""


@dataclass(frozen=True)
class Judgement:
    """What one look came to: verdict, evidence, and what to type."""

    verdict: Verdict
    seen: str
    do: str = ""


@dataclass(frozen=True)
class Check:
    """A promise and how it is judged."""

    id: str
    promise: str
    why: str
    judge: Callable[[Spec, ServerFacts], Judgement]


class UndecidedError(Exception):
    """A fact that a judgement needs is not there: the check answers what this carries instead."""

    def __init__(self, judgement: Judgement) -> None:
        super().__init__(judgement.seen)
        self.judgement = judgement


def passed(seen: str) -> Judgement:
    """The promise is kept."""
    return Judgement(Verdict.PASS, seen)


def warned(seen: str, do: str) -> Judgement:
    """The promise is kept today, and something stands against it."""
    return Judgement(Verdict.WARN, seen, do)


def failed(seen: str, do: str) -> Judgement:
    """The promise is broken."""
    return Judgement(Verdict.FAIL, seen, do)


def unknown(reason: str, do: str) -> Judgement:
    """The evidence could not be had."""
    return Judgement(Verdict.UNKNOWN, reason, do)


def unseen(fact: Unseen, do: str) -> Judgement:
    """The fact was not seen; `do` shows why, unless it was not to be tried."""
    return unknown(fact.reason, WRITING if fact == NOT_TRIED else do)


def not_applicable(reason: str, do: str) -> Judgement:
    """There is nothing to judge, or nothing that could be seen from here."""
    return Judgement(Verdict.NOT_APPLICABLE, reason, do)


def known(fact: Seen | Unseen | NotVisible, do: str) -> Seen:
    """Give a fact that was seen.

    Raises:
        UndecidedError: It was not, or cannot be from here.
    """
    if isinstance(fact, NotVisible):
        raise UndecidedError(not_applicable(fact.reason, do))
    if isinstance(fact, Unseen):
        raise UndecidedError(unseen(fact, do))
    return fact


def machine(facts: ServerFacts, do: str) -> Machine:
    """Give the server's machine.

    Raises:
        UndecidedError: It cannot be seen from here, or was not.
    """
    if isinstance(facts.machine, Unseen):
        raise UndecidedError(unknown(facts.machine.reason, do))
    if isinstance(facts.machine, NotVisible):
        raise UndecidedError(not_applicable(facts.machine.reason, do))
    return facts.machine


def in_cluster(facts: ServerFacts) -> ClusterFacts:
    """Give what was seen of the cluster.

    Raises:
        UndecidedError: It was not looked at through one.
    """
    if facts.cluster is None:
        do = "sturdis verify --context CONTEXT"
        raise UndecidedError(not_applicable("not looked at through a cluster", do))
    return facts.cluster


def known_object(live: LiveObject, ref: Ref, do: str) -> Manifest:
    """Give an object that was seen.

    Raises:
        UndecidedError: It was not: a failure where it is not there.
    """
    seen = known(live, "ask for the right to read it, and look again")
    if seen is None:
        raise UndecidedError(failed(f"{ref} is not there", do))
    return seen


def info(facts: ServerFacts, field: str) -> str:
    """Give one field of INFO.

    Raises:
        UndecidedError: INFO was refused, or has no such field.
    """
    do = f"{facts.cli} info"
    fields = known(facts.info, do)
    if field not in fields:
        raise UndecidedError(unknown(f"INFO has no field {field}", do))
    return fields[field]


def number(facts: ServerFacts, field: str) -> int:
    """Give one field of INFO that counts something.

    Raises:
        UndecidedError: INFO was refused, or has no such field, or no whole number in it.
    """
    value = info(facts, field)
    if not value.isascii() or not value.isdigit():
        raise UndecidedError(
            unknown(f"INFO says {field}:{value}, not a number", f"{facts.cli} info")
        )
    return int(value)


def memory_limit(facts: ServerFacts) -> int:
    """Give maxmemory, in bytes.

    Raises:
        UndecidedError: There is none, or it was not seen.
    """
    limit = number(facts, "maxmemory")
    if limit == 0:
        do = f"{facts.cli} config get maxmemory"
        raise UndecidedError(not_applicable("no maxmemory is set", do))
    return limit


def append_only(facts: ServerFacts) -> None:
    """Go on only where there is an append-only file.

    Raises:
        UndecidedError: It is off, or that was not seen.
    """
    if info(facts, "aof_enabled") == "0":
        do = f"{facts.cli} config get appendonly"
        raise UndecidedError(not_applicable("the append-only file is off", do))


def setting(facts: ServerFacts, name: str) -> str:
    """Give the value of one setting.

    Raises:
        UndecidedError: CONFIG GET was refused, or knows no such setting.
    """
    do = f"{facts.cli} config get {name}"
    if isinstance(facts.config, Unseen):
        raise UndecidedError(unknown(f"{name}: {facts.config.reason}", do))
    if name not in facts.config:
        raise UndecidedError(unknown(f"{name}: not a setting there", do))
    return facts.config[name]


def expect(
    facts: ServerFacts, name: str, wanted: str, *, accept: Callable[[str], bool]
) -> Judgement:
    """Judge one setting; what mends it is `CONFIG SET` to the wanted value.

    Raises:
        UndecidedError: It was not seen.
    """
    value = setting(facts, name)
    if accept(value):
        return passed(f"{name} {value}")
    return failed(f"{name} {value}", f"{facts.cli} config set {name} {wanted}")


def percent(part: int, whole: int) -> float:
    """Give `part` of `whole` in per cent; of nothing, everything."""
    return 100 * part / whole if whole else 100.0
