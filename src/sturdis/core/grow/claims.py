"""What a volume claim says of its size, and how far growing has come."""

from collections.abc import Mapping
from typing import Any

from sturdis.core import units
from sturdis.core.apply.takeover import VOLUME
from sturdis.core.cluster import Manifest

ON_A_NODE = "FileSystemResizePending"
"""Condition of a claim whose volume has grown, and whose file system a kubelet has yet to grow."""

AT_THE_STORAGE = "Resizing"
"""Condition of a claim whose volume is being grown (Kubernetes API, PersistentVolumeClaim)."""


def asked(claim: Manifest) -> int:
    """Give the bytes that a claim asks for."""
    return units.parse_bytes(claim["spec"]["resources"]["requests"]["storage"])


def has(claim: Manifest) -> int:
    """Give the bytes that a claim has; 0: nobody has said."""
    capacity = (claim.get("status") or {}).get("capacity") or {}
    return units.parse_bytes(capacity.get("storage", "0"))


def conditions(claim: Manifest) -> Mapping[str, Manifest]:
    """Give the conditions that hold, by their type."""
    found = (claim.get("status") or {}).get("conditions") or ()
    return {one["type"]: one for one in found if one.get("status") == "True"}


def is_grown(claim: Manifest, pod: Manifest | None, wanted: int) -> bool:
    """Tell whether a claim has what is wanted.

    Without a pod its file system grows when the next one starts, and that is as good.
    """
    waits_for_a_pod = pod is None and ON_A_NODE in conditions(claim)
    return has(claim) >= wanted or (asked(claim) >= wanted and waits_for_a_pod)


def template_size(stateful_set: Manifest) -> int:
    """Give the bytes that a set's claim template asks for; 0: it has none of ours."""
    template = _template(stateful_set["spec"])
    return 0 if template is None else asked(template)


def _template(spec: Mapping[str, Any]) -> Manifest | None:
    templates = spec.get("volumeClaimTemplates") or ()
    return next((one for one in templates if one["metadata"]["name"] == VOLUME), None)
