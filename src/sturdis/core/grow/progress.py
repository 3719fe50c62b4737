"""How far a claim has grown, and what keeps it from growing."""

from collections.abc import Iterator

from sturdis.core import units
from sturdis.core.apply.progress import is_observed
from sturdis.core.cluster import Manifest
from sturdis.core.cluster_troubles import Scene, Trouble, latest
from sturdis.core.grow import claims

FAILED = ("ControllerResizeError", "NodeResizeError")
"""Conditions of a claim that could not be grown (Kubernetes API, PersistentVolumeClaim)."""


def grown(scene: Scene, wanted: int) -> bool:
    """Tell whether the claim has what is wanted, in bytes."""
    return scene.claim is not None and claims.is_grown(scene.claim, scene.pod, wanted)


def stage(scene: Scene, wanted: int) -> str:
    """Say in a few words what is waited for; `wanted` in bytes."""
    if scene.claim is None:
        return "the claim is not there"
    found, name = claims.conditions(scene.claim), scene.claim["metadata"]["name"]
    if claims.ON_A_NODE in found:
        return "the volume has grown; its node grows the file system"
    if claims.AT_THE_STORAGE in found:
        return "the storage grows the volume"
    has, size = (units.canonical_bytes(one) for one in (claims.has(scene.claim), wanted))
    return f"claim {name} has {has} of {size}"


def troubles(scene: Scene, kubectl: str) -> tuple[Trouble, ...]:
    """Give what keeps the claim from growing, in the words of who saw it.

    Args:
        scene: What is there.
        kubectl: What to type before a command of kubectl: `kubectl -n redis`.
    """
    return () if scene.claim is None else tuple(_troubles(scene, scene.claim, kubectl))


def _troubles(scene: Scene, claim: Manifest, kubectl: str) -> Iterator[Trouble]:
    name = claim["metadata"]["name"]
    look = f"{kubectl} describe pvc {name}"
    event = latest(scene, claim, "VolumeResizeFailed")
    failed = [one for kind, one in claims.conditions(claim).items() if kind in FAILED]
    if event is not None or failed:
        words = event["message"] if event is not None else failed[0].get("message", "")
        yield Trouble("growing", f"the storage does not grow claim {name}", words, look)
        return
    on_the_node = latest(scene, scene.pod, "FileSystemResizeFailed", "VolumeResizeFailed")
    if on_the_node is not None:
        yield Trouble(
            "file system", f"the file system of claim {name} does not grow",
            on_the_node["message"], look,
        )  # fmt: skip
    elif claims.ON_A_NODE in claims.conditions(claim):
        said = claims.conditions(claim)[claims.ON_A_NODE].get("message", "")
        yield Trouble(
            "file system", f"the file system of claim {name} has not grown yet",
            said or "its volume has",
            "wait; a driver that grows no volume in use needs the pod's restart: "
            f"{kubectl} delete pod {name.removeprefix('data-')}",
        )  # fmt: skip
    elif claims.AT_THE_STORAGE not in claims.conditions(claim):
        waits = latest(scene, claim, "ExternalExpanding")
        yield Trouble(
            "growing", f"nothing has begun to grow claim {name}",
            waits["message"] if waits is not None else "no resizer has said anything yet",
            f"{look}; look whether the resizer of class {claim['spec'].get('storageClassName')} "
            "runs, and what its log says",
        )  # fmt: skip


def is_taken_over(scene: Scene) -> bool:
    """Tell whether the set keeps the pod; without a pod there is nothing to take over."""
    if scene.stateful_set is None or not is_observed(scene.stateful_set):
        return False
    if scene.pod is None:
        return True
    owners = scene.pod["metadata"].get("ownerReferences") or ()
    return any(one["uid"] == scene.stateful_set["metadata"]["uid"] for one in owners)
