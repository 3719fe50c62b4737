"""`sturdis up`: run the deployment on this machine."""

from pathlib import Path

import click

from sturdis import wiring
from sturdis.cli import up_telling
from sturdis.cli.options import json_option, spec_option
from sturdis.cli.output import Output
from sturdis.core.errors import UsageError
from sturdis.core.local import UpRequest

PORT = click.IntRange(0, 65535)


@click.command(context_settings={"allow_interspersed_args": False})
@spec_option("STURDIS_SPEC, else ./sturdis.yaml, else the defaults")
@click.option("--data", metavar="DIR", help="Keep the data in DIR; default: below the user's data.")
@click.option(
    "--ephemeral",
    is_flag=True,
    help="Use a new folder and free ports; remove the folder at the end.",
)
@click.option(
    "--server",
    metavar="PATH",
    help="Run this server; `embedded` is the one that comes with Sturdis.",
)
@click.option("--port", type=PORT, metavar="PORT", help="Listen here; default 6379, 0: a free one.")
@click.option(
    "--metrics-port",
    type=PORT,
    metavar="PORT",
    help="Serve the metrics here; default 9121, 0: a free one.",
)
@click.option(
    "--bind",
    metavar="ADDRESS",
    help="Listen at ADDRESS too, for other machines; needs a password.",
)
@click.option(
    "--password-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Let in only who knows the password in FILE.",
)
@click.option("--adopt", is_flag=True, help="Go on with the server that a killed `up` left behind.")
@click.option(
    "--drills", is_flag=True, help="Let `sturdis drill` break it; what it holds is at stake then."
)
@json_option
@click.argument("command_line", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND…]")
@click.pass_obj
def command(
    output: Output,
    spec_file: Path | None,
    environment: str | None,
    data: str | None,
    ephemeral: bool,
    server: str | None,
    port: int | None,
    metrics_port: int | None,
    bind: str | None,
    password_file: Path | None,
    adopt: bool,
    drills: bool,
    command_line: tuple[str, ...],
) -> int:
    """Run the deployment on this machine, on a real server.

    Ctrl-C ends it; the server writes first. With a COMMAND, it runs beside the server with
    REDIS_URL set, and its exit status is passed on.
    """
    _refuse_contradictions(data, ephemeral=ephemeral, adopt=adopt)
    for option, value in (("--data", data), ("--server", server), ("--bind", bind)):
        _refuse_empty(option, value)
    request = UpRequest(
        spec=wiring.load_spec(spec_file, environment),
        data=data,
        ephemeral=ephemeral,
        server=server,
        port=port,
        metrics_port=metrics_port,
        bind=bind,
        password=wiring.read_new_password(password_file) if password_file else None,
        adopt=adopt,
        command=command_line,
        drills=drills,
    )
    telling = up_telling.for_programs if output.json else up_telling.for_people
    return wiring.up(request, telling(output, beside_command=bool(command_line)))


def _refuse_contradictions(data: str | None, *, ephemeral: bool, adopt: bool) -> None:
    if ephemeral and (adopt or data is not None):
        raise UsageError(
            "usage",
            f"--ephemeral and {'--adopt' if adopt else '--data'} exclude each other",
            why="an ephemeral folder is new, and removed at the end",
            do="sturdis up --data DIR, or sturdis up --ephemeral",
        )


def _refuse_empty(option: str, value: str | None) -> None:
    if value == "":
        raise UsageError(
            "usage",
            f"{option} names nothing",
            why="what follows it is empty, perhaps a variable that is not set",
            do=f"sturdis up with a value after {option}, or without {option}",
        )
