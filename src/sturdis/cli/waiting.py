"""How a wait is shown: a terminal has one line for it, all else a line for whatever is new."""

import shutil
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from sturdis.cli.output import Output, is_terminal, labelled
from sturdis.core.units import shortened

if TYPE_CHECKING:
    from sturdis.core.apply.progress import Waiting


@dataclass
class WaitingLine:
    """What is told of a wait, and what was told already."""

    output: Output
    told: set[str] = field(default_factory=set)
    stage: str = ""
    has_line: bool = False
    """Whether the cursor stands behind a line that is overwritten."""

    def show(self, now: "Waiting") -> None:
        """Tell how far it is, and each trouble once."""
        for trouble in now.troubles:
            if trouble.about not in self.told:
                self.told.add(trouble.about)
                self.end()
                lines = (trouble.what, labelled("why:", trouble.why), labelled("do:", trouble.do))
                self.output.warning("\n".join(lines))
        text = f"{now.seconds:4.0f} s    {now.stage}"
        if is_terminal(sys.stderr):
            width = shutil.get_terminal_size().columns - 1  # a longer line could not be overwritten
            click.echo(f"\r{shortened(text, width)}\x1b[K", nl=False, err=True)
            self.has_line = True
        elif now.stage != self.stage:
            self.output.aside(text)
        self.stage = now.stage

    def end(self) -> None:
        """Go to a fresh line."""
        if self.has_line:
            click.echo("\r\x1b[K", nl=False, err=True)
            self.has_line = False
