"""What `up` tells while it runs: values that the command line prints, or a program reads."""

from dataclasses import dataclass

from sturdis.core.aof.guard import Mended
from sturdis.core.local import Serving


@dataclass(frozen=True)
class Ready:
    """The server serves for the first time."""

    serving: Serving


@dataclass(frozen=True)
class Loading:
    """The server reads its data: bytes so far, and in all."""

    loaded: int
    total: int


@dataclass(frozen=True)
class Answers:
    """The server lives and answers PING with `reply`, as it wrote it."""

    reply: str


@dataclass(frozen=True)
class Silent:
    """The server has not answered for so many seconds, and is replaced."""

    seconds: float


@dataclass(frozen=True)
class Overdue:
    """The server, started again, was not ready within so many seconds, and is replaced."""

    seconds: float


@dataclass(frozen=True)
class Ended:
    """The server ended by itself, and is started again."""

    status: int
    """Negative: by that signal."""
    wait: float
    """Seconds until the start."""
    last_words: str = ""


@dataclass(frozen=True)
class ServesAgain:
    """The server serves, so many seconds after it ended."""

    seconds: float = 0.0


Notice = Mended | Ready | Loading | Answers | Silent | Overdue | Ended | ServesAgain
