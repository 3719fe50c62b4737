"""A server that the start script started, as in a pod: with the deployment's own redis.conf."""

import contextlib
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sturdis.adapters.local import ports
from sturdis.core.address import Address
from sturdis.core.render import redis_conf, start_script
from sturdis.core.render.redis_conf import Place
from sturdis.core.render.start_script import Paths
from sturdis.core.spec import Spec
from sturdis.core.spec.cluster import Access
from tests.integration.servers import LOOPBACK, answers, wait_until
from tests.integration.shells import Shell

PASSWORDS = {
    "REDISCLI_AUTH": 'application\'s $(id) `id` \\ "1" ü',
    "EXPORTER_PASSWORD": "exporter's one",
    "STURDIS_PASSWORD": "s",
}
"""What no shell may take for its own language; the variables are those of the container."""

WITH_PASSWORDS = Spec(access=Access(password_secret="redis-auth"))


@dataclass(frozen=True)
class Started:
    """A server, once it answers."""

    process: subprocess.Popen[str]
    port: int
    folder: Path

    def address(self, user: str | None = None, password: str = "") -> Address:
        """Give where it answers, to a user."""
        return Address(LOOPBACK, self.port, username=user, password=password or None)


def write_script(folder: Path, spec: Spec, port: int) -> Path:
    """Write what a pod's volumes hold into `folder`, and give the script's path."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "run").mkdir(exist_ok=True)
    conf, script = folder / "redis.conf", folder / "start.sh"
    place = Place(folder=str(folder / "data"), bind=LOOPBACK, port=port)
    # A server writes its title over its environment, which a test looks at.
    conf.write_text(f"{redis_conf.redis_conf(spec, place)}set-proc-title no\n")
    paths = Paths(str(folder / "data"), str(conf), str(folder / "run/users.acl"))
    script.write_text(start_script.start_script(spec, paths))
    return script


@contextlib.contextmanager
def started(
    shell: Shell, folder: Path, spec: Spec, environ: Mapping[str, str] | None = None
) -> Iterator[Started]:
    """Run the script until the block ends, then end the server as a kubelet does."""
    port = ports.claim(0, option="port")
    script = write_script(folder, spec, port)
    with shell.start(script, environ=environ) as process:
        try:
            wait_until(lambda: answers(port, process, ""), "an answer", seconds=30)
            yield Started(process, port, folder)
        finally:
            process.terminate()
            process.communicate(timeout=30)
