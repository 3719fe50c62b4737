"""How a wait is shown: a terminal has one line for it, all else a line for whatever is new."""

import contextlib
import math
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from sturdis.cli.output import Output, is_terminal, labelled
from sturdis.core.errors import SturdisError
from sturdis.core.typed import Typed
from sturdis.core.units import shortened

if TYPE_CHECKING:
    from sturdis.core.apply.progress import Waiting


class Seconds(click.FloatRange):
    """A time to wait: a number, which nan and inf are not."""

    def convert(
        self, value: Any, parameter: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Give the number."""
        seconds: float = super().convert(value, parameter, ctx)
        if not math.isfinite(seconds):
            self.fail(f"{value!r} is no time in seconds.", parameter, ctx)
        return seconds


@contextlib.contextmanager
def naming(typed: Typed) -> Iterator[None]:
    """Let what an error says to type name the deployment and the cluster that were typed."""
    try:
        yield
    except SturdisError as error:
        error.do = typed.completed(error.do)
        raise


@dataclass
class LiveLine:
    """A terminal's line that is overwritten."""

    is_shown: bool = False
    """Whether the cursor stands behind it."""

    def show(self, text: str) -> None:
        """Put `text` in place of what stands there."""
        width = shutil.get_terminal_size().columns - 1  # a longer line could not be overwritten
        click.echo(f"\r{shortened(text, width)}\x1b[K", nl=False, err=True)
        self.is_shown = True

    def end(self) -> None:
        """Go to a fresh line."""
        if self.is_shown:
            click.echo("\r\x1b[K", nl=False, err=True)
            self.is_shown = False


@dataclass
class WaitingLine:
    """What is told of a wait, and what was told already."""

    output: Output
    typed: Typed = field(default_factory=Typed)
    """What a command that mends a trouble has to name."""
    told: set[str] = field(default_factory=set)
    stage: str = ""
    line: LiveLine = field(default_factory=LiveLine)

    def show(self, now: "Waiting") -> None:
        """Tell how far it is, and each trouble once."""
        for trouble in now.troubles:
            if trouble.about not in self.told:
                self.told.add(trouble.about)
                self.end()
                do = self.typed.completed(trouble.do)
                lines = (trouble.what, labelled("why:", trouble.why), labelled("do:", do))
                self.output.warning("\n".join(lines))
        text = f"{now.seconds:4.0f} s    {now.stage}"
        if is_terminal(sys.stderr):
            self.line.show(text)
        elif now.stage != self.stage:
            self.output.aside(text)
        self.stage = now.stage

    def end(self) -> None:
        """Go to a fresh line."""
        self.line.end()
