"""Options that several verbs share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from sturdis.cli.output import Output
from sturdis.core.errors import UsageError

Command = TypeVar("Command", bound=Callable[..., Any])


def json_option(command: Command) -> Command:
    """Give a command `--json`, which switches its `Output`."""

    def switch(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
        ctx.find_object(Output).json = value  # type: ignore[union-attr]

    return click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=switch,
        help="Print JSON for programs.",
    )(command)


def spec_option(default: str) -> Callable[[Command], Command]:
    """Give a command `--spec` and `--env`; `default` says in words what holds without `--spec`."""
    spec = click.option(
        "--spec",
        "spec_file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help=f"The spec; default: {default}.",
    )
    environment = click.option(
        "--env",
        "environment",
        metavar="NAME",
        help="Which environment of the spec; default: its base.",
    )
    return lambda command: spec(environment(command))


class ContextName(click.ParamType[str]):
    """A context of the kubeconfig. An empty one is most often a variable that is not set."""

    name = "context"

    def convert(
        self, value: Any, _parameter: click.Parameter | None, _ctx: click.Context | None
    ) -> str:
        """Give the name as it was typed.

        Raises:
            UsageError: `usage`: it is empty.
        """
        if not value:
            raise UsageError(
                "usage",
                "the context is empty",
                why="--context was given a variable that is not set, or an empty text",
                do="kubectl config get-contexts    lists them",
            )
        return str(value)


CONTEXT = ContextName()
