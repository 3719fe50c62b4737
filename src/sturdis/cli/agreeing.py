"""Asking a person to agree to what was shown."""

import sys
from collections.abc import Sequence

import click

from sturdis.cli.output import is_terminal
from sturdis.core.errors import UsageError


def can_ask() -> bool:
    """Tell whether there is a terminal to ask on."""
    return is_terminal(sys.stdin)


def ask(question: str, *, yes: bool, refused: str, do: str, problems: Sequence[str] = ()) -> None:
    """Go on when it is agreed to: by `yes`, or by an answer.

    Args:
        question: Asked where there is a terminal.
        yes: Whether it was agreed to beforehand.
        refused: What did not happen, for who does not agree.
        do: What to type instead.
        problems: What speaks against it.

    Raises:
        UsageError: `usage.not_agreed`.
    """
    if yes or (can_ask() and click.confirm(question, err=True)):
        return
    answer = "the answer was no" if can_ask() else "there is no terminal to ask on"
    raise UsageError("usage.not_agreed", refused, why="\n".join((*problems, answer)), do=do)
