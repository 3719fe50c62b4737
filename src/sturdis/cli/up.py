"""`sturdis up`: run the deployment on this machine."""

from pathlib import Path

import click

from sturdis import wiring
from sturdis.cli.options import json_option, spec_option
from sturdis.cli.output import Output, labelled, paint
from sturdis.core.bullmq import contract
from sturdis.core.errors import UsageError
from sturdis.core.local import Serving, UpRequest

PORT = click.IntRange(0, 65535)


@click.command(context_settings={"allow_interspersed_args": False})
@spec_option("sturdis.yaml in this folder, else the defaults")
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
@json_option
@click.argument("command_line", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND…]")
@click.pass_obj
def command(
    output: Output,
    spec_file: Path | None,
    data: str | None,
    ephemeral: bool,
    server: str | None,
    port: int | None,
    metrics_port: int | None,
    command_line: tuple[str, ...],
) -> int:
    """Run the deployment on this machine, on a real server.

    Ctrl-C ends it; the server writes first. With a COMMAND, it runs beside the server with
    REDIS_URL set, and its exit status is passed on.
    """
    if ephemeral and data is not None:
        raise UsageError(
            "usage",
            "--ephemeral and --data exclude each other",
            why="an ephemeral folder is removed at the end",
            do="sturdis up --data DIR, or sturdis up --ephemeral",
        )
    if data == "":
        raise UsageError(
            "usage",
            "--data names no folder",
            why="what follows it is empty, perhaps a variable that is not set",
            do="sturdis up --data DIR, or without --data",
        )
    request = UpRequest(
        spec=wiring.load_spec(spec_file),
        data=data,
        ephemeral=ephemeral,
        server=server,
        port=port,
        metrics_port=metrics_port,
        command=command_line,
    )
    return wiring.up(request, lambda serving: _announce(output, serving, request))


def _announce(output: Output, serving: Serving, request: UpRequest) -> None:
    if output.json:  # with a command, standard output is the command's
        output.value({"event": "ready"} | _values(serving), err=bool(request.command))
    elif request.command:
        click.echo(f"sturdis: {serving.url}  {serving.server}", err=True)
    else:
        output.text(_banner(serving))


def _values(serving: Serving) -> dict[str, object]:
    return {
        "url": serving.url,
        "host": serving.host,
        "port": serving.port,
        "metrics": serving.metrics_url,
        "data": serving.data,
        "ephemeral": serving.ephemeral,
        "server": serving.server,
        "server_path": serving.server_path,
        "chosen": serving.chosen,
        "tested": serving.tested,
        "note": serving.note,
    }


def _banner(serving: Serving) -> str:
    untested = "" if serving.tested else ", a release that Sturdis is not tested with"
    lasting = ", removed at the end" if serving.ephemeral else ""
    facts = [
        ("server", f"{serving.server} ({serving.chosen}{untested})"),
        ("", serving.server_path),
        ("data", f"{serving.data}{lasting}"),
        ("redis", f"{serving.url}  {paint('PONG', 'green')}"),
        ("metrics", f"{serving.metrics_url}  {paint('redis_up 1', 'green')}"),
    ]
    if serving.note:
        facts.append(("note", serving.note))
    return "\n".join(
        (
            *(f"{label:<9}{text}" for label, text in facts),
            "",
            paint("BullMQ, TypeScript (bullmq 6, ioredis 6):", "cyan"),
            "",
            _indented(contract.typescript(serving.host, serving.port)),
            paint("BullMQ, Python (bullmq 3):", "cyan"),
            "",
            _indented(contract.python(serving.host, serving.port)),
            labelled("next", " sturdis verify    (in another terminal); Ctrl-C here ends it"),
        )
    )


def _indented(code: str) -> str:
    return "".join(f"    {line}".rstrip() + "\n" for line in code.splitlines())
