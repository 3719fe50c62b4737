"""Options that several verbs share."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from sturdis import wiring
from sturdis.cli.output import Output
from sturdis.core import address as addresses
from sturdis.core.address import Tls
from sturdis.core.aim import PASSWORD_VARIABLE, TargetRequest

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


@dataclass(frozen=True)
class Reach:
    """How a target is reached beside its address, as it was typed."""

    password_file: str | None
    tls: Tls

    def request(self, output: Output, address: str | None, *, naming: str) -> TargetRequest:
        """Say what a verb is asked to work on; warn where others can see the password.

        Args:
            output: Where warnings go.
            address: As it was typed; None: it was not.
            naming: What to type before an address to name it to the verb.

        Raises:
            UsageError: `usage.address`.
            AccessError: `access.unreadable`.
        """
        if address is not None and addresses.parse(address).password is not None:
            output.warning(
                "the password in the address is shown to every user of this machine who lists its"
                f" processes; give it with {PASSWORD_VARIABLE} or --password-file FILE"
            )
        if self.password_file is None:
            return TargetRequest(address, tls=self.tls, naming=naming)
        read = wiring.read_password(self.password_file)
        if read.readable_by_all:
            output.warning(
                f"every user of this machine can read the password in {self.password_file};"
                " chmod o-r mends it"
            )
        return TargetRequest(address, read.password, self.password_file, self.tls, naming)


REACH_OPTIONS = (
    click.option(
        "--password-file",
        metavar="FILE",
        help=f"Read the password here; `-` asks for it. Default: {PASSWORD_VARIABLE}.",
    ),
    click.option("--tls-ca", metavar="FILE", help="Trust these authorities as well (PEM)."),
    click.option("--tls-cert", metavar="FILE", help="Show this certificate to the server (PEM)."),
    click.option("--tls-key", metavar="FILE", help="The certificate's key (PEM)."),
)


def reach_options(command: Command) -> Command:
    """Give a command the options of `Reach`, which it takes as `reach`."""

    @functools.wraps(command)
    def gathered(
        *arguments: Any,
        password_file: str | None,
        tls_ca: str | None,
        tls_cert: str | None,
        tls_key: str | None,
        **options: Any,
    ) -> Any:
        reach = Reach(password_file, Tls(tls_ca, tls_cert, tls_key))
        return command(*arguments, reach=reach, **options)

    return functools.reduce(lambda inner, option: option(inner), reversed(REACH_OPTIONS), gathered)  # type: ignore[return-value]
