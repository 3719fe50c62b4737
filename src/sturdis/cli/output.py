"""How answers are printed: text for people, JSON for programs, colour where it is wanted."""

import json
import os
import sys

import click

from sturdis.core.errors import SturdisError


class Output:
    """What a command prints to. `--json` switches it before the command runs."""

    def __init__(self) -> None:
        self.json = False

    def error(self, error: SturdisError) -> None:
        """Print what happened, why, and what to type: to stderr, or as JSON to stdout."""
        if self.json:
            values = {"code": error.code, "what": error.what, "why": error.why, "do": error.do}
            self.value({"error": values | {"exit": error.exit_status}})
            return
        click.echo(paint(f"error[{error.code}]:", "red", sys.stderr) + f" {error.what}", err=True)
        click.echo(labelled("why:", error.why), err=True)
        click.echo(labelled("do:", error.do), err=True)

    def value(self, value: object, *, err: bool = False) -> None:
        """Print one value as one line of JSON."""
        click.echo(json.dumps(value, ensure_ascii=False), err=err)

    def text(self, text: str) -> None:
        """Print text for people."""
        click.echo(text)


def labelled(label: str, text: str, indent: str = "") -> str:
    """Put `label` before `text`, with later lines of the text below its first."""
    head = f"{indent}{label:<5}"
    return head + text.replace("\n", "\n" + " " * len(head))


def paint(text: str, style: str, stream: object = None) -> str:
    """Colour `text` where a person reads `stream` and NO_COLOR is not set."""
    stream = stream or sys.stdout
    wanted = getattr(stream, "isatty", lambda: False)() and not os.environ.get("NO_COLOR")
    return click.style(text, fg=style, bold=True) if wanted else text
