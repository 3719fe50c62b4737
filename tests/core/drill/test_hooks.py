"""The file of hooks: what is understood, what it lets a drill do, and what is refused in it."""

import pytest

from sturdis.core.drill import abilities, hooks
from sturdis.core.drill.abilities import Ability
from sturdis.core.drill.faults.cluster import NodeCrash, PodDelete
from sturdis.core.drill.faults.network import Partition
from sturdis.core.drill.faults.process import Kill
from sturdis.core.drill.hooks import Hooks, Server
from sturdis.core.errors import DrillError
from tests.cluster.machine.places import HOOKS

SERVER = Server("node1", "redis", "redis-0", "a-uid", "an-id")


def test_the_hooks_of_our_own_cluster_give_every_ability_on_a_node():
    told = hooks.parse(HOOKS.read_text(), str(HOOKS))
    needed = (Ability.KILL, Ability.NODE, Ability.FIREWALL, Ability.DELETE_POD)
    assert abilities.lacking(needed, hooks.abilities(told)) == ()
    assert told.images.node


def test_without_hooks_a_pod_can_be_deleted_and_nothing_done_to_its_node():
    has = hooks.abilities(hooks.NONE)
    assert abilities.lacking([Ability.DELETE_POD, Ability.RESTART], has) == ()
    told = abilities.lacking([Ability.KILL, Ability.NODE], has)
    assert told == (
        "kill: no command `kill` for it in the file of --hooks",
        "node: no command `node-crash` for it in the file of --hooks",
    )
    assert "never" in abilities.lacking([Ability.PRELOAD], has)[0]


def test_the_servers_words_stand_in_the_place_of_braces_and_no_shell_reads_them():
    command = ("ssh", "{node}", "kill {container-id} of {namespace}/{pod}", "{pod-uid}{pod-uid}")
    assert hooks.about(command, SERVER) == (
        "ssh",
        "node1",
        "kill an-id of redis/redis-0",
        "a-uida-uid",
    )


def test_a_name_that_looks_like_a_place_is_not_replaced_twice():
    named = Server("{pod}", "redis", "redis-0", "a-uid", "an-id")
    assert hooks.about(("{node}",), named) == ("{pod}",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kil: [a]", 'unknown field `kil`; did you mean "kill"'),
        ("kill: reboot now", "Expected `array`"),
        ("node-crash: [halt]", "without `node-return`"),
        ("partition-end: [heal]", "without `partition`"),
        ("kill: [end, '{pid}']", "names {pid}; there are node, "),
        ("- kill", "Expected `object`"),
        ("kill: [", "line 1: "),
        ("kill: [a]\nkill: [b]", "line 2: "),
        ("images: {ruby: x}", "unknown field `ruby`"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_reason(text, told):
    with pytest.raises(DrillError) as refusal:
        hooks.parse(text, "hooks.yaml")
    assert (refusal.value.code, told in refusal.value.why) == ("drill.invalid", True), (
        refusal.value.why
    )


def test_an_empty_file_lets_nothing_be_done():
    assert hooks.parse("", "hooks.yaml") == hooks.NONE


@pytest.mark.parametrize(
    ("command", "is_of_node"),
    [
        (("end", "{container-id}"), False),
        (("ssh", "{node}", "cut {pod-uid}"), False),
        (("end", "{namespace}/{pod}"), False),
        (("reboot", "{node}"), True),
        (("end", "pod-uid", "{namespace}"), True),
    ],
)
def test_a_command_that_names_no_pod_strikes_the_node(command, is_of_node):
    kill, cut = Hooks(kill=command), Hooks(partition=command, partition_end=("heal", "{pod-uid}"))
    assert hooks.strikes_node(Kill(), kill) is is_of_node
    assert hooks.strikes_node(Partition(), cut) is is_of_node
    assert hooks.strikes_node(NodeCrash(), kill)
    assert not hooks.strikes_node(PodDelete(), kill)
