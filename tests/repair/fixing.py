"""`redis-check-aof --fix`, driven as a person would: on each file that is damaged, saying yes.

Redis ships the program; Valkey's server is its own checker when it is called by that name.
"""

import subprocess
from pathlib import Path

from sturdis.adapters.local import binaries

CHECKERS = {"redis": "redis-check-aof", "valkey": "valkey-check-aof"}


def fix(server: str, path: Path) -> None:
    """Let the checker of the server's release fix one file. It may refuse, or destroy."""
    name = CHECKERS[binaries.inspect(server).product]
    beside = Path(server).with_name(name)
    program = str(beside) if beside.exists() else server
    subprocess.run(
        [name, "--fix", str(path)],
        executable=program,
        input=b"y\ny\n",
        capture_output=True,
        check=False,
    )
