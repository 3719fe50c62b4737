"""The promises of the deployment, each judged on what was seen.

A check is a row of `CHECKS`: its id, its promise, why it matters, and a function that judges the
facts; the rows stand in one file per concern. docs/checks.md is held against them by a test.
"""

from collections.abc import Sequence

from sturdis.core.checks import answering, bullmq, cluster, memory, persistence, server
from sturdis.core.checks.judgement import Check, UndecidedError
from sturdis.core.facts import ServerFacts
from sturdis.core.report import Finding, Report
from sturdis.core.spec import Spec

CHECKS: Sequence[Check] = (
    *answering.ANSWERING,
    *server.SERVER,
    *persistence.PERSISTENCE,
    *memory.MEMORY,
    *answering.AROUND,
    *bullmq.BULLMQ,
    *cluster.CLUSTER,
)
"""All checks, in the order they are shown."""

WHEN_ASKED = "persistence.restart"
"""The check that is made, and listed, only for who asks for it."""

IN_CLUSTER = frozenset(row.id for row in cluster.CLUSTER)
"""The checks that are made, and listed, only of what runs in a cluster."""


def check(spec: Spec, facts: ServerFacts) -> Report:
    """Judge every promise of `spec` on `facts`."""
    asked = [row for row in CHECKS if _is_asked(row, facts)]
    return Report(facts.address, tuple(_finding(row, spec, facts) for row in asked))


def _is_asked(row: Check, facts: ServerFacts) -> bool:
    if row.id == WHEN_ASKED:
        return facts.restarted is not None
    return row.id not in IN_CLUSTER or facts.cluster is not None


def _finding(row: Check, spec: Spec, facts: ServerFacts) -> Finding:
    try:
        judged = row.judge(spec, facts)
    except UndecidedError as undecided:
        judged = undecided.judgement
    return Finding(row.id, row.promise, judged.seen, judged.verdict, row.why, judged.do)
