"""What a drill must undo, written down before it is done, so that a crash of ours undoes it too.

Steps are harmless where nothing is to be undone: a process that is another now is left alone.
"""

import msgspec


class _Step(msgspec.Struct, frozen=True, tag_field="step", forbid_unknown_fields=True):
    """Something to undo."""


class EndProcess(_Step, frozen=True, tag="end process"):
    """SIGKILL a process that the drill started."""

    pid: int
    started: str
    """When it began, as the system tells it; `undo_steps.started` reads it. Its pid may be used
    again."""


class ResumeProcess(_Step, frozen=True, tag="resume process"):
    """SIGCONT a process that the drill stopped."""

    pid: int
    started: str


class Unmount(_Step, frozen=True, tag="unmount"):
    """Take away a disk of the drill's own."""

    path: str


class RemoveFolder(_Step, frozen=True, tag="remove folder"):
    """Remove a folder that the drill made, with all that is in it."""

    path: str


class RemoveTable(_Step, frozen=True, tag="remove table"):
    """Remove a table of nftables, and with it the rules that drop packets."""

    family: str
    name: str


class RemoveCgroup(_Step, frozen=True, tag="remove cgroup"):
    """Remove a control group that the drill made; its processes have ended."""

    path: str


class SetConfiguration(_Step, frozen=True, tag="set configuration"):
    """CONFIG SET a setting to what it was."""

    address: str
    """Without a password, which comes from REDISCLI_AUTH where one is needed."""
    name: str
    value: str


class RunCommand(_Step, frozen=True, tag="run command"):
    """Run a hook of the user's, as `--hooks` names it; no shell reads it."""

    arguments: tuple[str, ...]


class DeleteObject(_Step, frozen=True, tag="delete object"):
    """Delete an object in a cluster that the drill made."""

    context: str
    kind: str
    """`Pod` or `ConfigMap`."""
    name: str
    namespace: str


class TakeOffTaint(_Step, frozen=True, tag="take off taint"):
    """Let a node that the drill declared off take pods again, once it is back."""

    context: str
    node: str


class SetPodConfiguration(_Step, frozen=True, tag="set pod configuration"):
    """CONFIG SET a setting of a server in a cluster to what it was."""

    context: str
    namespace: str
    pod: str
    secret: str
    """Holds the password of the user sturdis; empty: the server has none."""
    name: str
    value: str


InCluster = DeleteObject | TakeOffTaint | SetPodConfiguration

Step = (
    EndProcess
    | ResumeProcess
    | Unmount
    | RemoveFolder
    | RemoveTable
    | RemoveCgroup
    | SetConfiguration
    | RunCommand
    | InCluster
)


class Noted(msgspec.Struct, frozen=True, tag_field="entry", tag="noted"):
    """A line of the journal: a step that is to be undone once it was done."""

    number: int
    step: Step


class Undone(msgspec.Struct, frozen=True, tag_field="entry", tag="undone"):
    """A line of the journal: a step that needs no undoing any more."""

    number: int


Entry = Noted | Undone

_DECODER: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)


def encode(entry: Entry) -> bytes:
    """Give the entry as one line of the journal, newline included."""
    return msgspec.json.encode(entry) + b"\n"


def still_open(journal: bytes) -> list[Noted]:
    """Give what is still to be undone, the last done first.

    A last line without its end was never on disk as a whole, and its step not done. Lines that are
    no entries are passed over: `damaged` names them.
    """
    noted: dict[int, Noted] = {}
    for entry in map(_decoded, _lines(journal)):
        if isinstance(entry, Noted):
            noted[entry.number] = entry
        elif entry is not None:
            noted.pop(entry.number, None)
    return [noted[number] for number in sorted(noted, reverse=True)]


def damaged(journal: bytes) -> list[int]:
    """Give the numbers of the whole lines that are no entries: what they undo is not known."""
    lines = enumerate(_lines(journal), start=1)
    return [number for number, line in lines if _decoded(line) is None]


def _lines(journal: bytes) -> list[bytes]:
    """Give the whole lines."""
    return journal.split(b"\n")[:-1]


def _decoded(line: bytes) -> Entry | None:
    try:
        return _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
