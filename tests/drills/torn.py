"""What a server of the matrix wrote, for trials on copies of it, and trials by a pod's script."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sturdis.adapters.drill.rig import Rig
from sturdis.adapters.drill.undo_journal import Journal
from sturdis.adapters.faults import torn_multi, trials
from sturdis.adapters.faults.trials import Trial, Written
from sturdis.core.drill.rig_plan import RigPlan
from sturdis.core.render import start_script
from sturdis.core.render.start_script import Paths
from sturdis.core.spec import Spec
from tests.integration.shells import Shell


@contextlib.contextmanager
def written(server: str, folder: Path) -> Iterator[tuple[Written, Path]]:
    """Let BullMQ work on a server of its own; give what that wrote, and a folder for copies."""
    plan = RigPlan(server=server)
    with Journal(folder) as journal, Rig(plan, folder, journal) as rig:
        rig.start()
        home = trials.short_folder(journal)
        yield trials.write(rig, home / "load", torn_multi.LAST), home


class ByScript(Trial):
    """A trial whose guard is the start script of a pod, which becomes the server."""

    def __init__(self, written: Written, increment: bytes, home: Path, shell: Shell) -> None:
        super().__init__(written, increment, home, guarded=False)
        self._shell = shell

    def command(self, settings: Mapping[str, str]) -> Sequence[str]:
        conf, script = self.home / "redis.conf", self.home / "start.sh"
        conf.write_text("".join(f'{name} "{value}"\n' for name, value in settings.items()))
        script.write_text(start_script.start_script(Spec(), Paths(str(self.data), str(conf))))
        return ["env", "-i", f"PATH={self._shell.path}", *self._shell.command, str(script)]
