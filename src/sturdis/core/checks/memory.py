"""Whether the data, and a copy of what changes during a rewrite, fit in memory."""

from sturdis.core import spec as specs
from sturdis.core.checks.judgement import (
    Check,
    Judgement,
    expect,
    failed,
    known,
    machine,
    memory_limit,
    number,
    passed,
    percent,
    setting,
    warned,
)
from sturdis.core.facts import Machine, ServerFacts
from sturdis.core.report import Verdict
from sturdis.core.spec import Spec
from sturdis.core.units import human_bytes

LARGEST_SHARE = 75
"""Per cent of the memory limit above which a rewrite may not find its copy: docs/adr/0028."""

USED_WARN = 80
"""Per cent of maxmemory; the alert RedisMemoryHigh fires at the same: docs/adr/0028."""

USED_FAIL = 95
"""Per cent of maxmemory: docs/adr/0028."""

ALWAYS_OVERCOMMIT, NEVER_OVERCOMMIT = "1", "2"
"""Values of vm.overcommit_memory; 0 lets the kernel guess."""


def _policy(_spec: Spec, facts: ServerFacts) -> Judgement:
    return expect(
        facts, "maxmemory-policy", "noeviction", accept=lambda value: value == "noeviction"
    )


def _maxmemory(spec: Spec, facts: ServerFacts) -> Judgement:
    wanted = str(specs.maxmemory(spec))
    judged = expect(facts, "maxmemory", wanted, accept=lambda value: value != "0")
    if judged.verdict is not Verdict.PASS:
        return judged
    value = setting(facts, "maxmemory")
    size = f" ({human_bytes(int(value))})" if value.isdecimal() else ""
    return passed(judged.seen + size)


def _used(_spec: Spec, facts: ServerFacts) -> Judgement:
    limit = memory_limit(facts)
    used = number(facts, "used_memory") - number(facts, "mem_not_counted_for_evict")
    share = percent(used, limit)
    seen = f"{human_bytes(used)} of {human_bytes(limit)}: {share:.0f} %"
    if share <= USED_WARN:
        return passed(seen)
    do = f"{facts.cli} memory stats; clean finished jobs, or raise memory.limit in the spec"
    return failed(seen, do) if share > USED_FAIL else warned(seen, do)


def _room(_spec: Spec, facts: ServerFacts) -> Judgement:
    data = memory_limit(facts)
    limit, limited_by = _limit(facts)
    peak = max(data, number(facts, "used_memory_rss"))
    share = percent(peak, limit)
    seen = (
        f"maxmemory {human_bytes(data)}, resident {human_bytes(number(facts, 'used_memory_rss'))}, "
        f"limit {human_bytes(limit)} ({limited_by}): {share:.0f} %"
    )
    if share <= LARGEST_SHARE:
        return passed(seen)
    wanted = limit * specs.MAXMEMORY_PERCENT // 100
    do = f"{facts.cli} config set maxmemory {wanted}"
    if data <= wanted:
        do = f"{facts.cli} memory purge, then restart it: what is resident is more than its data"
    return failed(seen, do) if peak > limit else warned(seen, do)


def _limit(facts: ServerFacts) -> tuple[int, str]:
    if isinstance(facts.machine, Machine):
        return known(facts.machine.memory_limit, "cat /proc/meminfo"), facts.machine.limited_by
    whole = number(facts, "total_system_memory")
    return whole, "all memory of its machine; a container's own limit is not visible from here"


def _overcommit(_spec: Spec, facts: ServerFacts) -> Judgement:
    show = "sysctl vm.overcommit_memory, on its machine"
    here = machine(facts, show)
    mode = known(here.overcommit, show)
    if mode == ALWAYS_OVERCOMMIT:
        return passed("vm.overcommit_memory 1: a fork is never refused")
    fork = known(here.commit_room if mode == NEVER_OVERCOMMIT else here.available, show)
    resident = number(facts, "used_memory_rss")
    peak = max(resident, number(facts, "maxmemory"))
    need = 2 * peak - resident  # the data still to come, then a child as large as all of it
    seen = f"vm.overcommit_memory {mode}; a fork at maxmemory needs {human_bytes(need)}, "
    seen += f"{human_bytes(fork)} can be had"
    return passed(seen) if need <= fork else warned(seen, "sysctl -w vm.overcommit_memory=1")


def _huge_pages(_spec: Spec, facts: ServerFacts) -> Judgement:
    path = "/sys/kernel/mm/transparent_hugepage/enabled"
    pages = known(machine(facts, f"cat {path}, on its machine").huge_pages, f"cat {path}")
    if pages != "always":
        return passed(f"transparent huge pages: {pages}")
    if setting(facts, "disable-thp") == "yes":
        return passed("transparent huge pages: always, but the server disabled its own")
    return warned("transparent huge pages: always", f"echo madvise > {path}")


MEMORY = (
    Check(
        "memory.policy",
        "at the memory limit writes are refused and nothing is evicted",
        "Any other policy may drop BullMQ's keys, locks and jobs alike, without a word.",
        _policy,
    ),
    Check(
        "memory.maxmemory",
        "a memory limit is set",
        "Without one the policy never acts: the kernel kills the server instead.",
        _maxmemory,
    ),
    Check(
        "memory.used",
        "the memory limit is not near",
        "At the limit every add is rejected at once, and a starting worker spins on errors.",
        _used,
    ),
    Check(
        "memory.room",
        "beside all data a rewrite has room to copy what changes",
        "A rewrite forks; pages written meanwhile exist twice, and the kernel kills what has none.",
        _room,
    ),
    Check(
        "memory.overcommit",
        "the kernel lets the full server fork",
        "A fork that is refused is a rewrite that fails, and the append-only file grows.",
        _overcommit,
    ),
    Check(
        "memory.hugepages",
        "no transparent huge pages are used",
        "With them a rewrite copies 2 MiB for each page of 4 KiB that is written.",
        _huge_pages,
    ),
)
"""Checks on memory, the server's and its machine's."""
