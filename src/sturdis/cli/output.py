"""How answers are printed: text for people, JSON for programs, colour where it is wanted."""

import contextlib
import os
import sys
from typing import TextIO

import click

from sturdis.core.errors import OutputError, SturdisError


class Output:
    """What a command prints to. `--json` switches it before the command runs."""

    def __init__(self) -> None:
        self.json = False

    def error(self, error: SturdisError) -> None:
        """Print what happened, why, and what to type: to stderr, or as JSON to stdout.

        Where that cannot be printed either, the exit status alone has to tell.
        """
        with contextlib.suppress(OutputError):
            if self.json:
                values = {"code": error.code, "what": error.what, "why": error.why, "do": error.do}
                self.value({"error": values | {"exit": error.exit_status}})
                return
            head = paint(f"error[{error.code}]:", "red", sys.stderr)
            lines = (f"{head} {error.what}", labelled("why:", error.why), labelled("do:", error.do))
            self.text("\n".join(lines), err=True)

    def warning(self, text: str) -> None:
        """Print a line of advice to stderr, whatever standard output is for."""
        self.aside(f"{paint('warning:', 'yellow', sys.stderr)} {text}")

    def aside(self, text: str) -> None:
        """Print to stderr what is not the answer; where that is full, it is not missed."""
        with contextlib.suppress(OutputError):
            self.text(text, err=True)

    def value(self, value: object, *, err: bool = False) -> None:
        """Print one value as one line of JSON."""
        import json  # noqa: PLC0415  4 ms that only --json pays

        self.text(json.dumps(value, ensure_ascii=False), err=err)

    def text(self, text: str | bytes, *, err: bool = False) -> None:
        """Print text for people, or bytes as they are.

        A reader that is gone, as in `sturdis … | head`, is no error: the rest is for nobody.

        Raises:
            OutputError: `output.lost`.
        """
        try:
            # as bytes: a path that is not UTF-8 is shown as it is
            click.echo(
                text.encode(errors="surrogateescape") if isinstance(text, str) else text, err=err
            )
        except BrokenPipeError:
            _print_no_more(sys.stderr if err else sys.stdout)
        except OSError as error:
            raise lost(sys.stderr if err else sys.stdout, error) from error


def lost(stream: TextIO, error: OSError) -> OutputError:
    """Let nothing more be written to `stream`, which refused the answer, and say so."""
    _print_no_more(stream)
    return OutputError(
        "output.lost",
        "the answer could not be printed",
        why=error.strerror or str(error),
        do="make room, or send the output elsewhere",
    )


def _print_no_more(stream: TextIO) -> None:
    """Let what is still buffered, and all that follows, go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def labelled(label: str, text: str, indent: str = "") -> str:
    """Put `label` before `text`, with later lines of the text below its first."""
    head = f"{indent}{label:<5}"
    return head + text.replace("\n", "\n" + " " * len(head))


def is_terminal(stream: object) -> bool:
    """Tell whether a person reads `stream`; a closed one is None."""
    return bool(getattr(stream, "isatty", lambda: False)())


def paint(text: str, style: str, stream: object = None) -> str:
    """Colour `text` where a person reads `stream` and NO_COLOR is not set."""
    wanted = is_terminal(stream or sys.stdout) and not os.environ.get("NO_COLOR")
    return click.style(text, fg=style, bold=True) if wanted else text
