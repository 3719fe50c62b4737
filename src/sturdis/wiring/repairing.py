"""`repair`, joined with the folder that it mends and the server that proves it."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sturdis.adapters.local.repair_folder import Found
    from sturdis.core.aof.copying import Step
    from sturdis.core.repair.plan import Plan, Repaired
    from sturdis.core.servers import Server


def repair(
    data: Path,
    *,
    agree: "Callable[[Plan], bool]",
    dry_run: bool = False,
    server: str | None = None,
    keep: Path | None = None,
    tell: "Callable[[Step], None]" = lambda _step: None,
) -> "Repaired":
    """Mend the append-only file of a data folder that no server uses.

    Args:
        data: The folder, which holds `appendonlydir/`.
        agree: Called with the plan, already proven, before anything is changed; False ends it.
        dry_run: End with the plan; the folder is only read, and `agree` is not called.
        server: The program to prove the result with; None: that of the folder, else one at hand
            that reads its base.
        keep: Where the whole folder is copied to first; None: `<data>.before-repair-<time>`.
        tell: Called with how far it has come.

    Raises:
        DataError: The folder cannot be mended or changed; nothing was. `data.not_proven`: no
            server loads the result.
        ServerError: There is no server to prove it with.
    """
    from sturdis.adapters.local import repair_folder, repair_scratch, signals
    from sturdis.core.repair import commands
    from sturdis.flows import repair as flow
    from sturdis.flows.repair_planning import Means

    with signals.unwinding(), repair_folder.RepairFolder(data, keep) as folder:
        found = folder.look()
        program = _server(server, found)
        if not dry_run:
            folder.require_writable()
        with repair_scratch.Scratch(program) as scratch:
            known = commands.KNOWN | scratch.commands()
            means = Means(scratch, str(program), known, repair_scratch.NotLoadedError)
            return flow.repair(folder, found.parts, means, flow.Telling(agree, tell, dry_run))


def _server(asked: str | None, found: "Found") -> "Server":
    """Choose the server that proves the result: it must read the base.

    Raises:
        ServerError: There is none, or not the one asked for.
        DataError: `data.newer_server`.
    """
    from sturdis.adapters.local import binaries
    from sturdis.core import servers
    from sturdis.core.errors import ServerError

    offers = binaries.offers(asked, found.record)
    if asked is None and found.record is None:
        offers = (
            one
            for one in list(offers)
            if found.format is None or servers.reads(one.server, found.format)
        )
    try:
        server = servers.choose(offers).server
    except ServerError as error:
        raise ServerError(
            error.code,
            error.what,
            why=error.why + (f"; the base is {found.format}" if found.format else ""),
            do="sturdis repair DATA --server PATH, with the release that wrote it",
        ) from error
    servers.refuse_unreadable_base(server, found.format, "the folder")
    return server
