"""The deployment on one machine: what is asked of it, and how it answers."""

from dataclasses import dataclass

from sturdis.core.spec import Spec

REDIS_PORT = 6379
"""Where clients look for Redis: IANA's service `redis`."""


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
    command: tuple[str, ...] = ()
    """A command to run beside the server, which ends with it."""


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
    note: str = ""
    """What does not work as usual; empty when all does."""

    @property
    def url(self) -> str:
        """The address as clients take it."""
        return f"redis://{self.host}:{self.port}"
