"""The nodes: made, crashed, brought back, cut off and joined again."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.cluster.machine import processes
from tests.cluster.machine.places import BRIDGE, DNS, GATEWAY, NODES, PODS, STATE, Node

RESOLV_CONF = STATE / "resolv.conf"
IMAGES = STATE / "images"
"""The archives that a new node imports, one a line, the pause image first."""
NOTHING_LISTENS = "nameserver 127.0.0.1\n"
SCRIPT = Path(__file__).with_name("node.sh")
REMOVAL_SECONDS = 10


def prepare(archives: list[Path]) -> None:
    """Write what all nodes read."""
    IMAGES.write_text("".join(f"{archive}\n" for archive in archives))
    RESOLV_CONF.write_text(NOTHING_LISTENS)
    (STATE / "pods-resolv.conf").write_text("")


def load_new(archives: list[Path]) -> None:
    """Import on every running node the archives that are new since it started."""
    new = set(archives) - {Path(line) for line in IMAGES.read_text().splitlines()}
    for node in NODES if new else ():
        if is_running(node):
            socket = f"{node.folder}/containerd.sock"
            for archive in new:
                words = ("--address", socket, "--namespace", "k8s.io", "images", "import")
                processes.run("ctr", *words, archive)
        else:
            (node.folder / "images").unlink(missing_ok=True)  # it imports all when it starts
    prepare(archives)


def start(node: Node, binaries: Path) -> None:
    """Start a node, new or crashed; whether it is Ready is the API server's to say."""
    node.folder.mkdir(exist_ok=True)
    _connect(node)
    _configure(node)
    environment = {
        "NODE": node.name,
        "CGROUP": node.namespace,
        "ADDRESS": node.address,
        "FOLDER": str(node.folder),
        "STATE": str(STATE),
        "BINARIES": str(binaries),
        "PODS": PODS,
        "PAUSE": IMAGES.read_text().splitlines()[0],
    }
    processes.spawn(
        node.name, node.name,
        # Not `ip netns exec`, which mounts a /sys anew that shows no cgroups.
        "nsenter", f"--net=/run/netns/{node.namespace}",
        "unshare", "--mount", "--propagation", "private", "bash", SCRIPT, env=environment,
    )  # fmt: skip


def is_running(node: Node) -> bool:
    """Whether any process of the node lives."""
    return any(True for _pid in processes.members(node.name))


def crash(node: Node) -> None:
    """Power off: the link goes down and all processes die, without a word to the API server."""
    cut(node)
    processes.kill(node.name)


def cut(node: Node) -> None:
    """Cut the node off: nothing reaches it, and all in it runs on."""
    subprocess.run(["ip", "link", "set", node.link, "down"], capture_output=True, check=False)


def join(node: Node) -> None:
    """Undo `cut`."""
    processes.run("ip", "link", "set", node.link, "up")


def has_images(node: Node) -> bool:
    """Whether the node has imported all of its images."""
    return (node.folder / "images").exists()


def remove(node: Node) -> None:
    """Crash a node, or what an interrupted start left of it, and take all of it away."""
    crash(node)
    for command in (("ip", "link", "del", node.link), ("ip", "netns", "del", node.namespace)):
        subprocess.run(command, capture_output=True, check=False)
    for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
        mounted = line.split()[1]
        if mounted.startswith(f"{node.folder}/"):
            subprocess.run(["umount", "--lazy", mounted], capture_output=True, check=False)
    _remove_cgroups(node)
    shutil.rmtree(node.folder, ignore_errors=True)


def _remove_cgroups(node: Node) -> None:
    deadline = time.monotonic() + REMOVAL_SECONDS
    top = Path("/sys/fs/cgroup")
    for group in [top / node.namespace, *top.glob(f"*/{node.namespace}")]:
        # The kernel lets go of a group's processes shortly after they ended.
        while group.exists() and time.monotonic() < deadline:
            for folder, _folders, _files in os.walk(group, topdown=False):
                with contextlib.suppress(OSError):
                    Path(folder).rmdir()


def _connect(node: Node) -> None:
    """Give the node its network: namespace, link to the bridge, and the route to its pods."""
    inside = ("ip", "-netns", node.namespace)
    if not Path("/run/netns", node.namespace).exists():
        processes.run("ip", "netns", "add", node.namespace)
        processes.run(
            "ip", "link", "add", node.link, "type", "veth",
            "peer", "name", "eth0", "netns", node.namespace,
        )  # fmt: skip
        processes.run("ip", "link", "set", node.link, "master", BRIDGE)
        processes.run(*inside, "address", "add", f"{node.address}/24", "dev", "eth0")
        forward = "net.ipv4.ip_forward=1"
        processes.run("ip", "netns", "exec", node.namespace, "sysctl", "-qw", forward)
    for link in ("lo", "eth0"):
        processes.run(*inside, "link", "set", link, "up")
    join(node)
    processes.run(*inside, "route", "replace", "default", "via", GATEWAY)
    processes.run("ip", "route", "replace", node.pods, "via", node.address)


def _configure(node: Node) -> None:
    cni = node.folder / "cni"
    cni.mkdir(exist_ok=True)
    (cni / "10.conflist").write_text(json.dumps(_network(node)))
    (node.folder / "containerd.toml").write_text(_containerd(node))
    (node.folder / "kubelet.json").write_text(json.dumps(_kubelet(node)))


def _network(node: Node) -> dict[str, object]:
    addresses = {
        "type": "host-local",
        "ranges": [[{"subnet": node.pods}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "ipam": addresses,
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge, ports]}


def _containerd(node: Node) -> str:
    return f"""version = 2
root = "{node.folder}/containerd"
state = "/run/containerd/state"
[grpc]
  address = "{node.folder}/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "{node.folder}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "cluster.test/pause:1"
  restrict_oom_score_adj = true   # the machine may lack CAP_SYS_RESOURCE
  disable_apparmor = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "{node.folder}/cni"
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "{_snapshotter()}"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  BinaryName = "/usr/bin/crun"
"""


def _snapshotter() -> str:
    """Overlays, or copies where the state folder is itself on an overlay (in a container)."""
    with tempfile.TemporaryDirectory(dir=STATE) as folder:
        for name in ("lower", "upper", "work", "all"):
            Path(folder, name).mkdir()
        options = f"lowerdir={folder}/lower,upperdir={folder}/upper,workdir={folder}/work"
        mount = ("mount", "-t", "overlay", "overlay", "-o", options, f"{folder}/all")
        tried = subprocess.run(["unshare", "--mount", *mount], capture_output=True, check=False)
    return "native" if tried.returncode else "overlayfs"


def _kubelet(node: Node) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": node.address,
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{node.namespace}",
        "clusterDNS": [DNS],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": f"unix://{node.folder}/containerd.sock",
        "enforceNodeAllocatable": [],
        "evictionHard": {"memory.available": "50Mi"},
        "failSwapOn": False,
        "featureGates": {"KubeletInUserNamespace": True},  # where CAP_SYS_RESOURCE is missing
        "healthzBindAddress": "127.0.0.1",
        "imageGCHighThresholdPercent": 100,
        "nodeStatusUpdateFrequency": "4s",
        "podLogsDir": str(node.folder / "podlogs"),
        "resolvConf": str(STATE / "pods-resolv.conf"),
        "volumePluginDir": str(node.folder / "volumeplugins"),
    }
