"""Rules of scanners that the deployment breaks on purpose, each with its reason in the tree.

Checkov and kube-score read them as annotations of the StatefulSet; docs/adr/0038 has the reasons.
"""

from collections.abc import Iterator

from sturdis.core import spec as specs
from sturdis.core.spec import Spec

KUBE_SCORE = (
    "container-ephemeral-storage-request-and-limit",
    "container-image-pull-policy",
    "container-resources",
    "container-security-context-user-group-id",
    "pod-networkpolicy",
)
"""Rules of kube-score, which takes no reasons: those of checkov's, and one on other disks."""


def annotations(spec: Spec) -> dict[str, str]:
    """Give the annotations by which scanners leave out what does not hold for `spec`."""
    checkov = {
        f"checkov.io/skip{number}": f"{rule}={reason}"
        for number, (rule, reason) in enumerate(_broken(spec), 1)
    }
    return checkov | {
        "kube-score/ignore": ",".join(KUBE_SCORE),
        "sturdis/kube-score": "As for checkov; and nothing is written but the volume and the log.",
    }


def _broken(spec: Spec) -> Iterator[tuple[str, str]]:
    yield "CKV_K8S_11", "A server that is throttled answers nobody; it has a request, and no limit."
    yield "CKV_K8S_15", "The tag does not move; a registry that is down must not keep the pod down."
    yield "CKV_K8S_40", "999 is redis in the official images, and owns what they wrote before."
    images = (specs.engine_image(spec), spec.monitoring.exporter.image)
    if any("@" not in image for image in images):
        yield "CKV_K8S_43", "Tags are of one release each; engine.image takes a digest."
    if spec.access.password_secret:
        yield "CKV_K8S_35", "redis-cli in the container reads REDISCLI_AUTH; the server forgets it."
    if not spec.access.network_policy:
        yield "CKV2_K8S_6", "Open unless access.networkPolicy is set; verify warns of it."
