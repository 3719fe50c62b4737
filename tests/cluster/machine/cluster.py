"""The cluster as a whole: up, down, and what can be done to its nodes."""

import contextlib
import fcntl
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from tests.cluster.machine import (
    binaries,
    control_plane,
    credentials,
    images,
    kernel,
    needs,
    nodes,
    processes,
)
from tests.cluster.machine.places import (
    AGENTS_KUBECONFIG,
    COMMANDS,
    LOGS,
    NODES,
    ROOT,
    STATE,
    UP,
    VOLUMES,
    MachineError,
    Node,
)

LOCK = Path("/run/sturdis-cluster.lock")
MANIFESTS = Path(__file__).with_name("manifests")
TIMEOUT = "--timeout=180s"


def is_up() -> bool:
    """Whether the cluster was brought up and its API server answers."""
    return UP.exists() and control_plane.serves(Path(UP.read_text()))


def kubectl(*words: str | Path, given: str | None = None) -> str:
    """Run kubectl as the cluster's administrator and give what it printed."""
    # Of what runs, wherever the cache of the caller is: a hook has its caller's home.
    built = Path(UP.read_text()) if UP.exists() else binaries.folder()
    command = built / "kubectl"
    return processes.run(command, f"--kubeconfig={AGENTS_KUBECONFIG}", *words, given=given)


def up(say: Callable[[str], None]) -> None:
    """Bring it up, or what of it does not run; return when all nodes are ready and names resolve.

    Raises:
        MachineError: Something is missing, was not built or did not start.
    """
    needs.check()
    with _alone():
        built = binaries.build(say)
        archives = images.make(say, built)
        if is_up() and UP.read_text() == str(built):
            nodes.load_new(archives)
        else:
            _clear()
            _start(built, archives)
        for node in NODES:
            _revive(node, built)
        kubectl("rollout", "status", "-n", "kube-system", "daemonset/coredns", TIMEOUT)
        UP.write_text(str(built))


def down() -> None:
    """End and remove all of it; what is cached stays."""
    needs.check_root()
    with _alone():
        _clear()


def fail(node: Node) -> None:
    """Crash a node: its processes die and its link goes down, and nobody is told."""
    _check_up()
    nodes.crash(node)


def bring_back(node: Node) -> None:
    """Start a crashed node, or join one that was cut off; return when it is ready again."""
    _check_up()
    _revive(node, Path(UP.read_text()))


def power_on(node: Node) -> None:
    """Do the same, and leave it to others to take the taint of a node that is off away."""
    _check_up()
    _start_again(node, Path(UP.read_text()))


def cut(node: Node) -> None:
    """Cut a node off; all that runs on it runs on."""
    _check_up()
    nodes.cut(node)


def _start(built: Path, archives: list[Path]) -> None:
    for folder in (STATE, LOGS, VOLUMES, COMMANDS):
        folder.mkdir(exist_ok=True)
    STATE.chmod(0o711)
    kernel.keep()
    credentials.make()
    (COMMANDS / "kubectl").symlink_to(built / "kubectl")
    (COMMANDS / "sturdis").symlink_to(ROOT / ".venv/bin/sturdis")
    control_plane.start(built)
    nodes.prepare(archives)
    for node in NODES:
        nodes.start(node, built)
    for part in ("claims", "volumes"):
        command = (sys.executable, "-m", "tests.cluster.machine.longhorn", part)
        found = {"PYTHONPATH": str(ROOT)}
        processes.spawn(f"longhorn-{part}", processes.CONTROL, *command, env=found)
    for manifests in (MANIFESTS, built / "crds"):
        kubectl("apply", "--server-side", "-f", manifests)


def _revive(node: Node, built: Path) -> None:
    """Start a node that crashed, join one that is cut off, and return when it takes pods."""
    _start_again(node, built)
    with contextlib.suppress(MachineError):  # it has no such taint
        kubectl("taint", "node", node.name, "node.kubernetes.io/out-of-service-")
    # The controllers take their own off once they have seen it ready.
    processes.wait(f"{node.name} takes pods", partial(_takes_pods, node))


def _start_again(node: Node, built: Path) -> None:
    """Start a node that crashed, join one that is cut off, and return when it is ready."""
    began = datetime.now(UTC)
    nodes.join(node)
    if not nodes.is_running(node):
        nodes.start(node, built)
        # What the API server holds of the node is from before the crash.
        processes.wait(f"{node.name} tells that it lives", partial(_lives, node, began))
    kubectl("wait", f"node/{node.name}", "--for=create", TIMEOUT)
    processes.wait(f"{node.name} has its images", partial(nodes.has_images, node))
    kubectl("wait", f"node/{node.name}", "--for=condition=Ready", TIMEOUT)


def _lives(node: Node, since: datetime) -> bool:
    """Whether the node has renewed its lease since that time."""
    renewed = kubectl(
        "get", "lease", "-n", "kube-node-lease", node.name, "--ignore-not-found",
        "--output=jsonpath={.spec.renewTime}",
    )  # fmt: skip
    return bool(renewed) and datetime.fromisoformat(renewed) > since


def _takes_pods(node: Node) -> bool:
    return not kubectl("get", "node", node.name, "--output=jsonpath={.spec.taints}")


def _clear() -> None:
    UP.unlink(missing_ok=True)
    processes.kill()
    for node in NODES:
        nodes.remove(node)
    control_plane.remove_bridge()
    kernel.give_back()
    shutil.rmtree(STATE, ignore_errors=True)


def _check_up() -> None:
    if not is_up():
        raise MachineError("no cluster runs here", why=f"no {UP}", do="make cluster")


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
