"""`repair`, joined with the folder that it mends and the server that proves it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sturdis.core.repair.plan import Plan, Repaired
    from sturdis.flows.repair import Step


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
    raise NotImplementedError
