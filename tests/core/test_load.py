"""What a load adds follows from its seed, and what a refusal says from its first word."""

from collections import Counter

import msgspec
import pytest

from sturdis.core.address import Address
from sturdis.core.drill import load
from sturdis.core.drill.load import Kind, LoadPlan

PLAN = LoadPlan("python", "/log", Address("127.0.0.1", 1, password="secret"), ("one", "two"))


def orders(plan: LoadPlan) -> list[load.Order]:
    return [load.order(plan, number) for number in range(500)]


def test_the_same_seed_orders_the_same_and_another_does_not():
    assert orders(PLAN) == orders(PLAN)
    assert orders(PLAN) != orders(msgspec.structs.replace(PLAN, seed=1))


def test_all_kinds_and_queues_come_in_even_shares():
    kinds = Counter(one.kind for one in orders(PLAN))
    assert set(kinds) == set(Kind)
    assert min(kinds.values()) > 70  # of 100 expected
    assert min(Counter(one.queue for one in orders(PLAN)).values()) > 200


def test_a_kind_that_is_left_out_of_the_mix_does_not_come():
    plan = msgspec.structs.replace(PLAN, mix=(Kind.PLAIN, Kind.PLAIN, Kind.FLOW))
    kinds = Counter(one.kind for one in orders(plan))
    assert set(kinds) == {Kind.PLAIN, Kind.FLOW}
    assert kinds[Kind.PLAIN] > kinds[Kind.FLOW]


def test_a_plan_is_the_same_after_its_way_to_the_process_and_keeps_its_password_to_itself():
    sent = msgspec.json.encode(PLAN)
    assert msgspec.json.decode(sent, type=LoadPlan) == PLAN
    assert "secret" not in repr(PLAN)


def test_each_kind_has_what_makes_it_so():
    for one in orders(PLAN):
        assert (one.delay > 0) == (one.kind is Kind.DELAYED)
        assert (one.priority > 0) == (one.kind is Kind.PRIORITISED)
        assert (one.failures > 0) == (one.kind is Kind.RETRIED)
        assert one.delay <= PLAN.longest_delay
        assert one.failures <= PLAN.most_failures


@pytest.mark.parametrize(
    ("reason", "definite"),
    [
        ("OOM command not allowed when used memory > 'maxmemory'.", True),
        ("READONLY You can't write against a read only replica.", True),
        ("NOREPLICAS Not enough good replicas to write.", True),
        ("MISCONF Errors writing to the AOF file: No space left on device", True),
        ("Connection closed by server.", False),
        ("NOSCRIPT No matching script.", False),
        ("EXECABORT Transaction discarded because of previous errors.", False),
        ("", False),
    ],
)
def test_only_a_refusal_at_the_first_write_is_definite(reason, definite):
    assert load.definite(reason) is definite
