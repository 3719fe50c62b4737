"""What a person lets a drill do to a cluster's nodes: commands, in a file that `--hooks` names.

A command is a list of words that no shell reads. In each word `{node}`, `{namespace}`, `{pod}`,
`{pod-uid}` and `{container-id}` stand for those of the server.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from sturdis.core.drill.abilities import Abilities, Ability
from sturdis.core.drill.faults import Fault
from sturdis.core.drill.faults.cluster import NodeCrash
from sturdis.core.drill.faults.network import Partition
from sturdis.core.drill.faults.process import Kill
from sturdis.core.errors import DrillError
from sturdis.core.spec import words, yamltext

Command = tuple[str, ...]

PLACES = ("node", "namespace", "pod", "pod-uid", "container-id")
"""What may stand in braces."""

OF_SERVER = frozenset({"pod", "pod-uid", "container-id"})
"""Of these, what a command names that strikes the server alone."""

BRACED = re.compile(r"\{([^{}]*)\}")


class Images(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Images that pods of load are made of."""

    python: str = ""
    """Has python3 with bullmq and msgspec; empty: `tools.image` of the spec."""
    node: str = ""
    """Has node with bullmq in /app/node_modules; empty: only Python makes load."""


class Hooks(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What can be done to the nodes; an empty command: it cannot."""

    kill: Command = ()
    """SIGKILL for process 1 of the server's container, which hears no signal from inside."""
    node_crash: Command = ()
    """Take the node's power away; returns when it is off."""
    node_return: Command = ()
    """Give it back; harmless for a node that runs."""
    partition: Command = ()
    """Drop all packets between the server's pod and others; returns when they are dropped."""
    partition_end: Command = ()
    """Let them pass again; harmless where they do."""
    images: Images = Images()


PAIRS = (("node-crash", "node-return"), ("partition", "partition-end"))
"""What breaks, and what mends it: neither is taken alone."""

NONE = Hooks()

COMMANDS = ("kill", "node_crash", "node_return", "partition", "partition_end")
"""Names of the commands."""


@dataclass(frozen=True)
class Server:
    """Where the server is that a command is about."""

    node: str
    namespace: str
    pod: str
    pod_uid: str
    container_id: str

    @property
    def words(self) -> Mapping[str, str]:
        """Give what stands for each place."""
        given = (self.node, self.namespace, self.pod, self.pod_uid, self.container_id)
        return dict(zip(PLACES, given, strict=True))


def about(command: Command, server: Server) -> Command:
    """Give the command with the server's words in place of the braces."""
    words = server.words
    return tuple(BRACED.sub(lambda found: words[found[1]], word) for word in command)


def strikes_node(fault: Fault, hooks: Hooks) -> bool:
    """Tell whether a fault may strike what is beside the server on its node.

    A command that names neither pod nor container is the same for all that run there.
    """
    match fault:
        case NodeCrash():
            return True
        case Kill():
            return _names_no_server(hooks.kill)
        case Partition():
            return _names_no_server(hooks.partition)
    return False


def _names_no_server(command: Command) -> bool:
    return OF_SERVER.isdisjoint(place for word in command for place in BRACED.findall(word))


def abilities(hooks: Hooks) -> Abilities:
    """Say what a cluster can be done to, with these hooks."""

    def why(command: Command, key: str) -> str:
        return "" if command else f"no command `{key}` for it in the file of --hooks"

    return {
        Ability.DELETE_POD: "",
        Ability.RESTART: "",
        Ability.SET_CONFIGURATION: "",
        Ability.KILL: why(hooks.kill, "kill"),
        Ability.NODE: why(hooks.node_crash, "node-crash"),
        Ability.FIREWALL: why(hooks.partition, "partition"),
    }


def parse(text: str, path: str) -> Hooks:
    """Read the file `path`, whose content is `text`.

    Raises:
        DrillError: `drill.invalid`, with what is wrong.
    """
    said, unreadable = yamltext.read(text, "file of hooks")
    if unreadable:
        raise _invalid(path, "\n".join(map(str, unreadable)))
    try:
        hooks = msgspec.convert(said.plain, Hooks)
    except msgspec.ValidationError as error:
        raise _invalid(path, str(error) + _meant(said.plain)) from error
    if problems := "; ".join(_problems(hooks)):
        raise _invalid(path, problems)
    return hooks


def _problems(hooks: Hooks) -> Iterator[str]:
    commands = {name.replace("_", "-"): getattr(hooks, name) for name in COMMANDS}
    for breaks, mends in PAIRS:
        if bool(commands[breaks]) != bool(commands[mends]):
            there, missing = (breaks, mends) if commands[breaks] else (mends, breaks)
            yield f"`{there}` is there without `{missing}`: what is broken must be mended"
    for key, command in commands.items():
        for place in (found for word in command for found in BRACED.findall(word)):
            if place not in PLACES:
                yield f"`{key}` names {{{place}}}; there are {', '.join(PLACES)}"


def _meant(told: object) -> str:
    known = tuple(field.encode_name for field in msgspec.structs.fields(Hooks))
    odd = [str(key) for key in told if key not in known] if isinstance(told, dict) else []
    return f"; {words.did_you_mean(odd[0], known)}" if odd else ""


def _invalid(path: str, why: str) -> DrillError:
    return DrillError(
        "drill.invalid",
        f"the hooks in {path} are not understood",
        why=why,
        do="docs/drills-cluster.md shows the file",
    )
