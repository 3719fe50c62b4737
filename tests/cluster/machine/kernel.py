"""Settings of the one kernel that the kubelets change for themselves, and that are given back."""

from pathlib import Path

from tests.cluster.machine.places import STATE

SETTINGS = ("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops")
"""What a kubelet sets at its start, below /proc/sys; read in its container manager's source."""

KEPT = STATE / "kernel"


def keep() -> None:
    """Note the settings as they are, before a kubelet starts; a note that is there stays."""
    if not KEPT.exists():
        KEPT.write_text("".join(f"{name} {_value(name)}\n" for name in SETTINGS))


def give_back() -> None:
    """Set them as they were noted; a setting that this machine lets nobody change stays."""
    if not KEPT.exists():
        return
    for line in KEPT.read_text().splitlines():
        name, _blank, value = line.partition(" ")
        if _value(name) != value:
            try:
                Path("/proc/sys", name).write_text(value)
            except OSError:
                continue


def _value(name: str) -> str:
    return Path("/proc/sys", name).read_text().strip()
