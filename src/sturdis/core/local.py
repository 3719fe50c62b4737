"""The deployment on one machine: what is asked of it, and how it answers."""

from dataclasses import dataclass, field
from urllib.parse import quote

from sturdis.core.address import LOOPBACK
from sturdis.core.errors import UsageError
from sturdis.core.spec import Spec


@dataclass(frozen=True)
class UpRequest:
    """What `up` is asked for."""

    spec: Spec
    data: str | None = None
    """Folder of the data; None: below the user's data folder, by the spec's name."""
    ephemeral: bool = False
    """Use a new folder, and free ports where none are named; remove the folder at the end."""
    server: str | None = None
    """A path, a name on PATH, or `embedded`; None chooses."""
    port: int | None = None
    """None: 6379, or a free one when ephemeral. 0: a free one."""
    metrics_port: int | None = None
    """None: as the spec says, or a free one when ephemeral. 0: a free one."""
    bind: str | None = None
    """An address of this machine to listen on beside loopback; None: loopback alone."""
    password: str | None = field(default=None, repr=False)
    """What clients must know; None: nothing. It is needed to listen beyond loopback."""
    adopt: bool = False
    """Take over the server that an `up` which was killed left on the folder."""
    command: tuple[str, ...] = ()
    """A command to run beside the server, which ends with it."""
    drills: bool = False
    """Whether `sturdis drill` may break it; what it holds is at stake then."""


def refuse_open(request: UpRequest) -> None:
    """Refuse to let other machines in without a password.

    Raises:
        UsageError: `usage`.
    """
    if request.bind is None or request.bind in LOOPBACK or request.password is not None:
        return
    raise UsageError(
        "usage",
        f"listening on {request.bind} needs a password",
        why="other machines reach it there: whoever connects could read and delete every job",
        do=f"sturdis up --bind {request.bind} --password-file FILE",
    )


@dataclass(frozen=True)
class Serving:
    """A server that answers: how to reach it, what it is, and why it was chosen."""

    host: str
    port: int
    metrics_url: str
    data: str
    ephemeral: bool
    server: str
    """Product and version: `valkey 9.1.2`."""
    server_path: str
    chosen: str
    """Why this server, in a few words."""
    tested: bool
    """Whether its release is in the test matrix."""
    password_required: bool = False
    drills: bool = False
    """Whether `sturdis drill` may break it."""
    note: str = ""
    """What does not work as usual; empty when all does."""

    @property
    def url(self) -> str:
        """The address as clients take it, without the password."""
        return f"redis://{_in_url(self.host)}:{self.port}"

    def url_with(self, password: str | None) -> str:
        """The address as clients take it, with the password where there is one."""
        login = "" if password is None else f":{quote(password, safe='')}@"
        return f"redis://{login}{_in_url(self.host)}:{self.port}"


@dataclass(frozen=True)
class Running:
    """A running `up`: how to reach it, and what it was asked to be."""

    at: Serving
    spec: Spec


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
