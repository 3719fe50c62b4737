"""The StorageClass of Longhorn that the default spec names: rendered apart, for who has none."""

from sturdis.core.cluster import Manifest

NAME = "longhorn-replicated"


def storage_class() -> Manifest:
    """Give the class: three copies of each volume, which may grow and outlives its claim."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": NAME},
        "provisioner": "driver.longhorn.io",
        "allowVolumeExpansion": True,
        "reclaimPolicy": "Retain",
        "volumeBindingMode": "Immediate",
        "parameters": {
            "numberOfReplicas": "3",
            "staleReplicaTimeout": "30",
            "fsType": "ext4",
            "dataLocality": "best-effort",
        },
    }
