"""The command line behind the Makefile's cluster targets."""

import os
import shlex
import sys
import time

from tests.cluster.machine import binaries, cluster, images, needs
from tests.cluster.machine.places import (
    COMMANDS,
    CONTEXT,
    KUBECONFIG,
    LIMITED,
    SPEC,
    MachineError,
    node_named,
)

KITS = {
    "": (binaries.CLUSTER,),
    "gitops": (binaries.GITOPS, binaries.SCORES),
    "scores": (binaries.SCORES,),
}
"""What `build` builds, by the word behind it."""

COMMANDS_ARE = "there are up, down, env, build, images, and fail, cut and return with a node's name"
FAILED = 2
INTERRUPTED = 130


def main(words: list[str]) -> int:
    """Do one command and give the exit status."""
    try:
        _do(words)
    except MachineError as error:
        _tell(str(error))
        return FAILED
    except KeyboardInterrupt:
        _tell("interrupted; make cluster goes on or begins anew, make cluster-down ends it")
        return INTERRUPTED
    return 0


def _do(words: list[str]) -> None:
    match words:
        case ["up"]:
            _up()
        case ["down"]:
            cluster.down()
            _tell("the cluster is gone; what is cached for the next one stays")
        case ["env"]:
            _env()
        case ["build", *what] if " ".join(what) in KITS:
            needs.check_build()
            for kit in KITS[" ".join(what)]:
                binaries.build(_tell, kit)
        case ["images"]:
            needs.check_images()
            sys.stdout.writelines(f"{archive}\n" for archive in images.make(_tell))
        case ["fail", name]:
            cluster.fail(node_named(name))
            _tell(f"{name} has crashed; make cluster-return NODE={name} brings it back")
        case ["cut", name]:
            cluster.cut(node_named(name))
            _tell(f"{name} is cut off and runs on; make cluster-return NODE={name} joins it again")
        case ["return", name]:
            cluster.bring_back(node_named(name))
            _tell(f"{name} is ready")
        case _:
            raise MachineError(
                f"no such command: {shlex.join(words)}", why=COMMANDS_ARE, do="make help"
            )


def _up() -> None:
    began = time.monotonic()
    cluster.up(_tell)
    _tell(
        f"three nodes are ready after {time.monotonic() - began:.0f} s: context {CONTEXT}, and "
        f"{LIMITED} for a user without rights\n"
        'next:  eval "$(make -s cluster-env)"    kubectl and sturdis then speak to it\n'
        "       sturdis apply                    the deployment of tests/cluster/sturdis.yaml\n"
        "       make test-cluster                the tests on it\n"
        "       make cluster-down                ends it"
    )


def _env() -> None:
    if not KUBECONFIG.exists():
        raise MachineError("no cluster runs here", why=f"no {KUBECONFIG}", do="make cluster")
    path = os.environ.get("PATH", "").split(":")
    if str(COMMANDS) not in path:
        path.insert(0, str(COMMANDS))
    said = {
        "KUBECONFIG": str(KUBECONFIG),
        "PATH": ":".join(path),
        "STURDIS_SPEC": str(SPEC),  # the default deployment with an image that is there
    }
    sys.stdout.writelines(f"export {name}={shlex.quote(value)}\n" for name, value in said.items())


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
