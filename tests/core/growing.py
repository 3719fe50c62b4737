"""A model of a cluster as far as growing touches it: requests that can be cut off, controllers."""

import copy
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sturdis.core.apply.facts import Facts, Right
from sturdis.core.apply.plan import Action
from sturdis.core.cluster import STATEFUL_SET, Manifest, Ref
from sturdis.core.cluster_troubles import Scene
from sturdis.core.facts import Unseen
from sturdis.core.grow import plan
from sturdis.core.grow.plan import Growth
from sturdis.core.render import metadata
from sturdis.core.spec import Spec
from sturdis.core.spec.cluster import Storage
from tests.core.cluster_objects import pod, rendered, running

NEVER = 1_000_000


class CutOffError(Exception):
    """The run ends here: Ctrl-C, a connection that is gone, a machine that is off."""


SMALL = Spec(storage=Storage(size="10Gi"))
WANTED = Spec(storage=Storage(size="20Gi"))
GI = 1 << 30
SET = Ref(STATEFUL_SET, "redis", "redis")


def set_of(spec: Spec) -> Manifest:
    (found,) = (one for one in rendered(spec) if one["kind"] == "StatefulSet")
    return found


@dataclass
class World:
    """One claim, its set and its pod; a set's controller acts after every request."""

    spec: Spec
    """What is deployed at first."""
    capacity: str
    """What the volume has at first."""
    storage_steps: int = 1
    """Looks at the claim until the volume has what is asked for."""
    restarted: bool = False
    """Whether somebody has restarted the pod by an annotation of its template."""
    requests_left: int = NEVER
    """A request costs two: the run may end before it is sent, and before its answer is read."""
    uids: Iterator[int] = field(default_factory=itertools.count)
    facts: Facts = field(init=False)
    made_from: Manifest = field(init=False)
    """Template of the pod, as its revision keeps it."""

    def __post_init__(self) -> None:
        self.facts = running(self.spec)
        claim = copy.deepcopy(self.facts.claim)
        assert claim is not None
        claim["spec"]["resources"]["requests"]["storage"] = self.spec.storage.size
        claim["status"]["capacity"] = {"storage": self.capacity}
        live = self._filled(set_of(self.spec))
        if self.restarted:
            notes = live["spec"]["template"]["metadata"]["annotations"]
            notes["kubectl.kubernetes.io/restartedAt"] = "2026-11-25T12:00:00Z"
        one = pod(self.spec)
        self._keep(one, live)
        allowed = {"metadata": {"name": "longhorn-replicated"}, "allowVolumeExpansion": True}
        self.facts = replace(self.facts, claim=claim, pod=one, storage_class=allowed)
        self.made_from = copy.deepcopy(live["spec"]["template"])
        self._put(live)

    @property
    def stateful_set(self) -> Manifest | None:
        return self.facts.live[self._ref]

    @property
    def claim(self) -> Manifest:
        assert self.facts.claim is not None
        return self.facts.claim

    @property
    def pod_uid(self) -> str:
        assert self.facts.pod is not None
        return str(self.facts.pod["metadata"]["uid"])

    def version(self) -> tuple[int, int]:
        return (1, 34)

    def look(self) -> Facts:
        return copy.deepcopy(self.facts)

    def template_of(self, _pod: Manifest) -> Manifest:
        return copy.deepcopy(self.made_from) | {"$patch": "replace"}

    def missing(self, _rights: Sequence[Right]) -> list[Right]:
        return []

    def merge(self, _ref: Ref, changes: Manifest) -> None:
        assert changes["metadata"]["uid"] == self.claim["metadata"]["uid"]
        self._request(lambda: self.claim["spec"].update(changes["spec"]))

    def delete(self, _ref: Ref, uid: str, *, orphan: bool) -> None:
        live = self.stateful_set
        assert live is not None
        assert (live["metadata"]["uid"], orphan) == (uid, True)
        ends = {"deletionTimestamp": "2026-11-25T12:00:00Z", "finalizers": ["orphan"]}
        self._request(lambda: live["metadata"].update(ends))
        self._request(self._orphan)

    def apply(self, manifest: Manifest, *, force: bool) -> None:
        assert not force
        self._request(lambda: self._put(self._filled(manifest)))

    def scenes(self, _seconds: float) -> Iterator[Scene]:
        for look in itertools.count():
            self._request(lambda: None)
            if look >= self.storage_steps:
                self.claim["status"]["capacity"] = self.claim["spec"]["resources"]["requests"]
            yield Scene(self.stateful_set, self.facts.pod, self.facts.claim)

    @property
    def _ref(self) -> Ref:
        return Ref(STATEFUL_SET, self.spec.name, self.spec.namespace)

    def _request(self, act: Callable[[], Any]) -> None:
        self._go_on()
        act()
        self._reconcile()
        self._go_on()

    def _go_on(self) -> None:
        if self.requests_left <= 0:
            raise CutOffError
        self.requests_left -= 1

    def _filled(self, manifest: Manifest) -> Manifest:
        """Fill in as the API server does."""
        made = copy.deepcopy(manifest)
        made["metadata"] |= {
            "uid": f"set-{next(self.uids)}",
            "generation": 1,
            "managedFields": [{"manager": "sturdis", "operation": "Apply"}],
        }
        made["spec"]["template"]["metadata"].setdefault("creationTimestamp", None)
        made["spec"]["template"]["spec"].setdefault("dnsPolicy", "ClusterFirst")
        for one in made["spec"]["volumeClaimTemplates"]:
            one |= {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": {}}
        made["status"] = {"updateRevision": "redis-1", "observedGeneration": 1}
        return made

    def _put(self, live: Manifest | None) -> None:
        self.facts = replace(self.facts, live={**self.facts.live, self._ref: live})

    def _orphan(self) -> None:
        assert self.facts.pod is not None
        self._put(None)
        del self.facts.pod["metadata"]["ownerReferences"]

    def _reconcile(self) -> None:
        """Do as a set's controller: take over the pod, and replace one of another template."""
        live, one = self.stateful_set, self.facts.pod
        if live is None or one is None or "deletionTimestamp" in live["metadata"]:
            return
        assert metadata.selector(self.spec).items() <= one["metadata"]["labels"].items()
        self._keep(one, live)
        if live["spec"]["replicas"] == 1 and _told(live["spec"]["template"]) != self.made_told:
            one["metadata"]["uid"] = f"pod-{next(self.uids)}"
            self.made_from = copy.deepcopy(live["spec"]["template"])

    @property
    def made_told(self) -> Manifest:
        return _told(self.made_from)

    def _keep(self, one: Manifest, live: Manifest) -> None:
        owner = {"kind": "StatefulSet", "uid": live["metadata"]["uid"], "controller": True}
        one["metadata"]["ownerReferences"] = [owner]


def _told(template: Manifest) -> Manifest:
    """Give a template as a revision's hash sees it: what is null counts for nothing."""
    meta = {key: one for key, one in template["metadata"].items() if one is not None}
    return {"metadata": meta, "spec": template["spec"]}


def decided(spec: Spec, facts: Facts, former: Manifest | Unseen | None = None) -> Growth:
    """Give what is done to bring a deployment to the size of a spec."""
    return plan.decide(spec, set_of(spec), facts, former)


def actions(growth: Growth) -> list[Action]:
    return [step.action for step in growth.changing]


def event(reason: str, message: str, uid: str = "uid-of-claim") -> Manifest:
    return {
        "metadata": {"uid": reason},
        "reason": reason,
        "message": message,
        "involvedObject": {"uid": uid},
        "lastTimestamp": "2026-11-25T12:00:00Z",
    }
