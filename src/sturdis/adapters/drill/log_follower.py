"""The ledger's log, followed while its writers go on: how far a drill's load has come."""

from pathlib import Path

from sturdis.adapters.drill.ledger_log import SUFFIX
from sturdis.core.drill import events
from sturdis.core.drill.events import Acknowledged, Done
from sturdis.core.drill.outcome import Seen


class LogFollower:
    """Counts what the logs in `folder` tell, reading only what was added since the last look."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, int] = {}
        self._seen = Seen()

    def seen(self) -> Seen:
        """Count the adds acknowledged and the jobs done until now."""
        for path in self._folder.glob(f"*{SUFFIX}"):
            self._follow(path)
        return self._seen

    def _follow(self, path: Path) -> None:
        with path.open("rb") as file:
            file.seek(self._read.get(path, 0))
            added = file.read()
        whole = added.rfind(b"\n") + 1
        self._read[path] = self._read.get(path, 0) + whole
        told = [events.decode(line) for line in added[:whole].splitlines(keepends=True)]
        self._seen = Seen(
            self._seen.acknowledged + sum(isinstance(one, Acknowledged) for one in told),
            self._seen.processed + sum(isinstance(one, Done) for one in told),
        )
