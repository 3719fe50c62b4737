"""Stands in for Longhorn: provides, grows and deletes the volumes of its storage classes.

A volume is a folder that every node sees, so a pod that moves finds its data, as with replicas. It
has no limit of size. Two processes of `make cluster`, `longhorn claims` and `longhorn volumes`:
not two threads, since msgspec 0.22 crashes where two decode a type of lightkube's first at once.
"""

import contextlib
import shutil
import sys
from collections.abc import Callable
from functools import partial

import httpx2
from lightkube import ApiError, Client, KubeConfig
from lightkube.models.core_v1 import (
    LocalVolumeSource,
    NodeSelector,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    ObjectReference,
    PersistentVolumeSpec,
    VolumeNodeAffinity,
)
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import (
    PersistentVolume,
    PersistentVolumeClaim,
    PersistentVolumeClaimStatus,
)
from lightkube.resources.storage_v1 import StorageClass
from lightkube.utils.quantity import parse_quantity

from tests.cluster.machine.places import AGENTS_KUBECONFIG, VOLUMES

DRIVER = "driver.longhorn.io"
ASKED_OF = "volume.kubernetes.io/storage-provisioner"
PROVIDED_BY = "pv.kubernetes.io/provisioned-by"


def provide(client: Client, claim: PersistentVolumeClaim) -> None:
    """Make the volume of a claim that waits for this driver, or grow the one it has."""
    assert claim.metadata is not None
    assert claim.spec is not None
    waits = (claim.metadata.annotations or {}).get(ASKED_OF) == DRIVER
    if waits and not claim.spec.volumeName:
        _create(client, claim)
    elif waits and claim.status is not None and claim.status.phase == "Bound":
        _grow(client, claim)


def _create(client: Client, claim: PersistentVolumeClaim) -> None:
    assert claim.metadata is not None
    assert claim.spec is not None
    name = f"pvc-{claim.metadata.uid}"
    storage_class = client.get(StorageClass, str(claim.spec.storageClassName))
    # A disk that was just formatted has this, and whoever lists /data meets it.
    (VOLUMES / name / "lost+found").mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = ObjectReference(
        apiVersion="v1", kind="PersistentVolumeClaim",
        namespace=claim.metadata.namespace, name=claim.metadata.name, uid=claim.metadata.uid,
    )  # fmt: skip
    volume = PersistentVolume(
        metadata=ObjectMeta(name=name, annotations={PROVIDED_BY: DRIVER}),
        spec=PersistentVolumeSpec(
            accessModes=claim.spec.accessModes,
            capacity={"storage": _wanted(claim)},
            claimRef=owner,
            # Not hostPath: the kubelet gives that to no fsGroup.
            local=LocalVolumeSource(path=str(VOLUMES / name)),
            nodeAffinity=_every_node(),
            persistentVolumeReclaimPolicy=storage_class.reclaimPolicy,
            storageClassName=claim.spec.storageClassName,
        ),
    )
    client.create(volume)


def _grow(client: Client, claim: PersistentVolumeClaim) -> None:
    """As the external resizer does: the volume first, then what the claim says that it has."""
    assert claim.metadata is not None
    assert claim.spec is not None
    assert claim.status is not None
    wanted, has = _wanted(claim), (claim.status.capacity or {}).get("storage", "0")
    if _bytes(wanted) <= _bytes(has):
        return
    grown = {"spec": {"capacity": {"storage": wanted}}}
    client.patch(PersistentVolume, str(claim.spec.volumeName), grown)
    said = {"status": {"capacity": {"storage": wanted}, "conditions": []}}
    name, namespace = str(claim.metadata.name), str(claim.metadata.namespace)
    client.patch(PersistentVolumeClaimStatus, name, said, namespace=namespace)


def reclaim(client: Client, volume: PersistentVolume) -> None:
    """Delete a volume whose claim is gone, unless its policy is to retain it."""
    assert volume.metadata is not None
    assert volume.spec is not None
    is_ours = (volume.metadata.annotations or {}).get(PROVIDED_BY) == DRIVER
    is_released = volume.status is not None and volume.status.phase == "Released"
    if is_ours and is_released and volume.spec.persistentVolumeReclaimPolicy == "Delete":
        client.delete(PersistentVolume, str(volume.metadata.name))
        shutil.rmtree(VOLUMES / str(volume.metadata.name), ignore_errors=True)


def _wanted(claim: PersistentVolumeClaim) -> str:
    assert claim.spec is not None
    assert claim.spec.resources is not None
    return str((claim.spec.resources.requests or {})["storage"])


def _bytes(quantity: str) -> int:
    return int(parse_quantity(quantity) or 0)


def _every_node() -> VolumeNodeAffinity:
    linux = NodeSelectorRequirement(key="kubernetes.io/os", operator="In", values=["linux"])
    term = NodeSelectorTerm(matchExpressions=[linux])
    return VolumeNodeAffinity(required=NodeSelector(nodeSelectorTerms=[term]))


def watch_claims() -> None:
    """Serve every claim, for as long as the process lives."""
    client = _client()
    while True:
        # The API server ends a watch when it likes; the next one begins with all there is.
        with contextlib.suppress(httpx2.HTTPError, ApiError):
            for change, claim in client.watch(PersistentVolumeClaim, namespace="*"):
                if change != "DELETED":
                    _try(partial(provide, client, claim))


def watch_volumes() -> None:
    """Reclaim every volume that is released, for as long as the process lives."""
    client = _client()
    while True:
        with contextlib.suppress(httpx2.HTTPError, ApiError):
            for change, volume in client.watch(PersistentVolume):
                if change != "DELETED":
                    _try(partial(reclaim, client, volume))


def _client() -> Client:
    return Client(config=KubeConfig.from_file(AGENTS_KUBECONFIG), trust_env=False)


def _try(act: Callable[[], None]) -> None:
    try:
        act()
    except ApiError as error:
        # Changed or made meanwhile: the change comes as an event of its own.
        sys.stderr.write(f"{error}\n")


if __name__ == "__main__":
    {"claims": watch_claims, "volumes": watch_volumes}[sys.argv[1]]()
