"""`repair` on hundreds of damaged folders keeps no job less than `--fix`, and more where it can."""

import pytest

from tests import matrix
from tests.integration.running import SERVERS
from tests.repair import running, table

SEED = 20
MANY, FEW = 28, 3
"""Cases of each of 18 kinds: 504 on one server, the one that the seed chooses, 54 on each other."""

COUNTED = tuple(
    pytest.param(
        *row.values, MANY if at == SEED % len(SERVERS) else FEW, id=row.id, marks=row.marks
    )
    for at, row in enumerate(SERVERS)
)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("server", "count"), COUNTED)
def test_repair_keeps_all_that_fix_keeps_and_what_follows_the_damage(server, count, tell):
    some = running.sources(server, SEED)
    outcomes = list(running.outcomes(some, running.cases(SEED, range(count))))
    name = next(str(row) for row in matrix.ROWS if row.server == server)
    broken = [f"{running.again(one.case, name)}: {rule}" for one in outcomes for rule in one.broken]
    all_ = table.lines(name, outcomes)
    tell([table.summary(all_)])
    assert not broken, "\n".join(broken)
    assert sum(line.cases for line in all_) == count * 18
    assert all(line.more >= line.due for line in all_)
    assert sum(line.due for line in all_) > count
