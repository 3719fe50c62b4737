"""The StatefulSet that takes a grown one's place, made so that its pod runs on.

A set's controller replaces a pod whose template is not that of the set, so the new set has the
template of the old one to the last field, whatever the spec says meanwhile. docs/adr/0042.
"""

import copy
from typing import Any

from sturdis.core import cluster_drift, units
from sturdis.core.apply.difference import LAST_APPLIED
from sturdis.core.apply.takeover import VOLUME
from sturdis.core.cluster import Manifest

PATCH = "$patch"
"""How a revision's template says that it is the whole of one (Kubernetes, ControllerRevision)."""


def regrown(live: Manifest, wanted: int) -> Manifest:
    """Give a set as it is with a claim template of another size, ready to be applied.

    Args:
        live: The set.
        wanted: Size of the volume, in bytes.
    """
    meta = live["metadata"]
    notes = dict(meta.get("annotations") or {})
    notes.pop(LAST_APPLIED, None)
    kept: Manifest = {"name": meta["name"], "namespace": meta["namespace"]}
    kept |= {"labels": meta["labels"]} if meta.get("labels") else {}
    kept |= {"annotations": notes} if notes else {}
    spec: Manifest = _said(copy.deepcopy(live["spec"]))
    spec["volumeClaimTemplates"] = [_claim(one, wanted) for one in spec["volumeClaimTemplates"]]
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": kept, "spec": spec}


def restored(rendered: Manifest, template: Manifest | None) -> Manifest:
    """Give the set of a pod that has none any more.

    Args:
        rendered: The set of the spec.
        template: Of the pod, as the revision that it was made from keeps it; None: not known.
    """
    if template is None:
        return rendered
    kept = {key: value for key, value in _said(template).items() if key != PATCH}
    return rendered | {"spec": rendered["spec"] | {"template": kept}}


def other_changes(rendered: Manifest, made: Manifest) -> tuple[str, ...]:
    """Name what the spec changes in the pod beside the size, which `apply` brings.

    Args:
        rendered: The set of the spec.
        made: The set that is applied.
    """
    wanted, kept = rendered["spec"]["template"], made["spec"]["template"]
    return tuple(one.path for one in cluster_drift.differences(wanted, kept, "spec.template"))


def _claim(template: Manifest, wanted: int) -> Manifest:
    """Give a claim template without what the API server fills in, ours of the wanted size."""
    meta, spec = template["metadata"], copy.deepcopy(template["spec"])
    if meta["name"] == VOLUME:
        spec["resources"]["requests"]["storage"] = units.canonical_bytes(wanted)
    return {"metadata": meta, "spec": spec}


def _said(value: Any) -> Any:
    """Leave out what is null: the API server writes it where nothing was said."""
    if isinstance(value, dict):
        return {key: _said(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_said(one) for one in value]
    return value
