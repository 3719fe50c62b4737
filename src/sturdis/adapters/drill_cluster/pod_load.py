"""A load in a pod, as a process here: `python -m` and this module's name.

Arguments: context (empty: the current one), namespace, pod, container, then the load's command.
Input and output are the load's. When the input ends the load is told the line `end`; when this
process is killed, the connection ends, and the load with its input.
"""

import os
import sys
from collections.abc import Sequence

from sturdis.adapters.kubernetes import exec_stream
from sturdis.adapters.kubernetes.api import Cluster
from sturdis.adapters.kubernetes.exec import STDOUT
from sturdis.core.cluster import POD, Ref
from sturdis.core.drill.load import END
from sturdis.core.errors import ClusterError

STANDARD = {STDOUT: 1}
"""Channel to file descriptor; all others go to standard error."""


def command(context: str | None, pod: Ref, container: str, words: Sequence[str]) -> tuple[str, ...]:
    """Give the command of a process here that runs `words` there."""
    where = (context or "", pod.namespace, pod.name, container)
    return (sys.executable, "-m", __name__, *where, *words)


def main(arguments: Sequence[str]) -> int:
    """Run the load and give its exit status."""
    context, namespace, pod, container, *words = arguments
    try:
        with Cluster(context or None) as cluster:
            return exec_stream.carry(
                cluster, Ref(POD, pod, namespace), container, words,
                given=0, wrote=_write, last=END,
            )  # fmt: skip
    except ClusterError as error:
        sys.stderr.write(f"{error.what}: {error.why}\n")
        return error.exit_status


def _write(channel: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(STANDARD.get(channel, 2), view) :]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
