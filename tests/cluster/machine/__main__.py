"""The command line behind the Makefile's cluster targets."""

import os
import shlex
import sys
import time
from collections.abc import Callable, Mapping

from tests.cluster.machine import binaries, cluster, hands, images, needs
from tests.cluster.machine.places import (
    COMMANDS,
    CONTEXT,
    HOOKS,
    KUBECONFIG,
    LIMITED,
    SPEC,
    MachineError,
    Node,
    node_named,
)

KITS = {
    "": (binaries.CLUSTER,),
    "gitops": (binaries.GITOPS, binaries.SCORES),
    "scores": (binaries.SCORES,),
}
"""What `build` builds, by the word behind it."""

COMMANDS_ARE = (
    "there are up, down, env, build, images; fail, cut, return and power-on with a node's name; "
    "kill with a container's id; partition and heal with a pod's uid"
)
TO_NODES: Mapping[str, tuple[Callable[[Node], None], str]] = {
    "fail": (cluster.fail, "{0} has crashed; make cluster-return NODE={0} brings it back"),
    "cut": (cluster.cut, "{0} is cut off and runs on; make cluster-return NODE={0} joins it again"),
    "return": (cluster.bring_back, "{0} is ready"),
    "power-on": (cluster.power_on, "{0} is on; a taint that it has stays"),
}
TO_SERVERS: Mapping[str, Callable[[str], None]] = {
    "kill": hands.kill,
    "partition": hands.partition,
    "heal": hands.heal,
}
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
        case [verb, name] if verb in TO_NODES:
            do, told = TO_NODES[verb]
            do(node_named(name))
            _tell(told.format(name))
        case [verb, name] if verb in TO_SERVERS:
            TO_SERVERS[verb](name)
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
        "STURDIS_DRILL_HOOKS": str(HOOKS),
        "STURDIS_SPEC": str(SPEC),  # the default deployment with an image that is there
    }
    sys.stdout.writelines(f"export {name}={shlex.quote(value)}\n" for name, value in said.items())


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
