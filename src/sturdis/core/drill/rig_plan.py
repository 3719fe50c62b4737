"""What a drill's own server on this machine is to be like."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sturdis.core import spec as specs
from sturdis.core.drill.abilities import Ability
from sturdis.core.drill.faults import Fault, clock, disk, memory, network


@dataclass(frozen=True)
class RigPlan:
    """How a rig is set up; nothing of the user's is at stake on it."""

    server: str | None = None
    """A path, a name on PATH, or `embedded`; None chooses as `up` does."""
    guarded: bool = True
    """Whether the guard mends the data before each start, as `up` has it."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Settings of redis.conf laid over those of the deployment, name to arguments."""
    preload: bool = False
    """Whether the server runs with the shim between it and the system."""
    small_disk: int | None = None
    """MiB of a disk of its own that holds the data; None: it is where the run's folder is."""
    file_limit: int | None = None
    """Most files that the server may have open at one time, connections included."""
    memory_limit: int | None = None
    """Bytes of memory that the kernel lets the server have."""
    serves_within: float = 60.0
    """Longest wait for the server after a start, in seconds."""

    @property
    def needs(self) -> tuple[Ability, ...]:
        """Give what a machine must be able to do for this rig."""
        asked = (
            (self.preload, Ability.PRELOAD),
            (self.small_disk, Ability.SMALL_DISK),
            (self.file_limit, Ability.FILE_LIMIT),
            (self.memory_limit, Ability.MEMORY_LIMIT),
        )
        return (Ability.KILL, Ability.RESTART, *(one for wanted, one in asked if wanted))


def of(
    fault: Fault,
    *,
    server: str | None = None,
    guarded: bool = True,
    settings: Mapping[str, str] | None = None,
) -> RigPlan:
    """Give the rig that a fault needs; `settings` are laid over what the fault needs, too."""
    plan = _for(fault, RigPlan(server, guarded))
    return replace(plan, settings={**plan.settings, **(settings or {})})


def _for(fault: Fault, plan: RigPlan) -> RigPlan:
    match fault:
        case disk.PowerCut() | disk.FailedFsync() | disk.SlowFsync() | clock.ClockStep():
            return replace(plan, preload=True)
        case disk.DiskFull(size=size) | disk.DiskFullRewrite(size=size):
            return replace(plan, small_disk=size)
        case network.ClientStorm(files=files):
            return replace(plan, file_limit=files)
        case memory.MemoryKernel(limit=limit):
            data = limit * specs.MAXMEMORY_PERCENT // 100
            return replace(plan, memory_limit=limit, settings={"maxmemory": str(data)})
    return plan
