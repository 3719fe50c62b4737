"""`sturdis cli`: a small redis-cli; the embedded server brings none."""

import os
import sys
from pathlib import Path

import click

from sturdis import wiring
from sturdis.cli.options import json_option, spec_option
from sturdis.cli.output import Output, is_terminal
from sturdis.cli.reach import Reach, SpecChoice, Where, cluster_options, reach_options
from sturdis.core import errors, replies
from sturdis.core.address import FORMS
from sturdis.core.errors import TargetError, UsageError

NOT_ONE_REPLY = {
    "hello", "monitor", "psubscribe", "psync", "replconf", "ssubscribe", "subscribe", "sync",
}  # fmt: skip
"""Commands that answer with a stream, or change how replies are written."""

PROSE = {"client", "cluster", "info", "latency", "lolwut", "memory"}
"""Commands whose replies are texts of several lines, not values."""


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--target", metavar="ADDRESS", help=FORMS)
@cluster_options
@spec_option("with --context, as for up")
@reach_options
@json_option
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND…")
@click.pass_obj
def command(
    output: Output,
    target: str | None,
    spec_file: Path | None,
    environment: str | None,
    words: tuple[str, ...],
    reach: Reach,
    where: Where,
) -> int:
    """Send one Redis command to what runs.

    Without --target the running `sturdis up` is found; with --context the pod of the spec there.
    On a terminal replies look as redis-cli shows them, elsewhere they are printed bare.

    Exit status: 0, or 1 when the server answers with an error.
    """
    if not _is_answered_once(words):
        raise UsageError(
            "usage",
            f"{' '.join(words[:3])} is not answered with one reply",
            why="sturdis cli sends one command and prints one reply",
            do="use redis-cli for it",
        )
    try:
        choice = SpecChoice(spec_file, environment)
        spec = wiring.load_spec(spec_file, environment) if spec_file or environment else None
        request = reach.anywhere(output, target, where, choice, naming="sturdis cli --target")
        reply = wiring.call([os.fsencode(word) for word in words], request, spec)
    except TargetError as error:
        if words[0].lower() == "shutdown" and error.code == "target.lost":
            return errors.OK  # it did what was asked, and could not say so any more
        raise
    if output.json:
        output.value(replies.jsonable(reply))
    elif is_terminal(sys.stdout):
        output.text(replies.for_people(reply, prose=words[0].lower() in PROSE))
    else:
        output.text(replies.bare(reply))
    return errors.CHECK_FAILED if isinstance(reply, replies.ErrorReply) else errors.OK


def _is_answered_once(words: tuple[str, ...]) -> bool:
    """Tell whether a command has one reply; the client takes `CLIENT REPLY` in one word as two."""
    name, *rest = " ".join(words).lower().split() or [""]
    silenced = (name, *rest[:1]) == ("client", "reply") and rest[1:2] != ["on"]
    return name not in NOT_ONE_REPLY and not silenced
