"""What a spec means: values that their form allows and that cannot hold, alone or together.

Each rule looks at one whole deployment; core/spec/file asks them of the base and of every
environment, and finds the lines.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sturdis.core import units
from sturdis.core.ports import REDIS_PORT
from sturdis.core.spec import Spec, maxmemory, memory_limit, storage_size, words
from sturdis.core.spec.yamltext import Path

SMALLEST_LIMIT = 32 << 20
"""Least memory limit, in bytes: twice what an empty server held for a `verify` and a rewrite.

At most 14.8 MiB on the test matrix: `python -m bench.smallest`; docs/adr/0022.
"""

SMALLEST_MAXMEMORY = 4 << 20
"""Least maxmemory, in bytes: nearly twice what an empty server counts after a `verify`.

At most 2.2 MiB on the test matrix: `python -m bench.smallest`; docs/adr/0022.
"""

MOST_PERCENT = 90
"""Largest share of the memory limit that maxmemory may be, in per cent.

The server itself needs some beside its data, and a rewrite copies what changes: docs/adr/0009.
"""

STORAGE_FACTOR = 3
"""Least size of the volume, in maxmemory: base, an increment as large, and the next base.

A rewrite begins when the file has doubled (the server's own auto-aof-rewrite-percentage 100), so
this holds one even when nothing is written meanwhile. Writes without a pause took more:
`python -m bench.volume`; docs/adr/0022.
"""


KUBERNETES_OWN = ("kube-system", "kube-public", "kube-node-lease")
"""Namespaces that a cluster has for itself."""


@dataclass(frozen=True)
class Broken:
    """A rule that a spec breaks: the value at fault, what is so, and what it goes with."""

    path: Path
    what: str
    others: tuple[Path, ...] = ()


def broken(spec: Spec, environments: Collection[str] = ()) -> Iterator[Broken]:
    """Give the rules that `spec` breaks, in a file that has these environments."""
    if spec.namespace in KUBERNETES_OWN:
        what = f"{spec.namespace} is Kubernetes' own; its pods would be held to rules of ours"
        yield Broken(("namespace",), f"{what}, and refused at their next start")
    unreadable = list(_quantities(spec))
    yield from unreadable
    yield from _images(spec)
    yield from _monitoring(spec)
    yield from _gitops(spec, environments)
    if unreadable:
        return
    senseless = list(_memory(spec))
    yield from senseless or _storage(spec)


def _quantities(spec: Spec) -> Iterator[Broken]:
    written = {
        LIMIT: spec.memory.limit, MAXMEMORY: spec.memory.maxmemory, SIZE: spec.storage.size,
    }  # fmt: skip
    for path, quantity in written.items():
        try:
            units.parse_bytes(quantity if quantity is not None else 0)
        except ValueError as error:
            yield Broken(path, str(error))


def _memory(spec: Spec) -> Iterator[Broken]:
    data, limit = maxmemory(spec), memory_limit(spec)
    at_fault = LIMIT if spec.memory.maxmemory is None else MAXMEMORY
    if data < 1:
        yield Broken(at_fault, "maxmemory would be 0, which means no limit")
    elif limit < SMALLEST_LIMIT:
        yield Broken(
            LIMIT,
            f"{units.human_bytes(limit)} is too little: an empty server and one rewrite need up to "
            "15Mi, and data needs room; at least 32Mi",
        )
    elif data > limit:
        yield Broken(at_fault, f"{data} bytes are above the limit of {limit}", (LIMIT,))
    elif data * 100 > limit * MOST_PERCENT:
        yield Broken(
            at_fault,
            f"{units.human_bytes(data)} is {data * 100 / limit:.1f} % of the limit: what a rewrite "
            "copies has no room, and the kernel kills the server; at most 90 %, and 60 % is safe",
            (LIMIT,),
        )
    elif data < SMALLEST_MAXMEMORY:
        yield Broken(
            at_fault,
            f"{units.human_bytes(data)} is too little: an empty server counts up to 2.2Mi itself; "
            "at least 4Mi",
            (LIMIT,),
        )


def _storage(spec: Spec) -> Iterator[Broken]:
    size, data = storage_size(spec), maxmemory(spec)
    if size < data * STORAGE_FACTOR:
        yield Broken(
            SIZE,
            f"{units.human_bytes(size)} is too small for a maxmemory of {units.human_bytes(data)}: "
            "base, increment and the next base stand side by side; at least "
            f"{_whole(data * STORAGE_FACTOR)}",
            (MAXMEMORY, LIMIT),
        )


def _whole(count: int) -> str:
    """Give a quantity that is no less than `count` bytes, in whole Mi or Gi."""
    for unit, step in (("Gi", 1 << 30), ("Mi", 1 << 20)):
        if count > step:
            return f"{-(-count // step)}{unit}"
    return str(count)


def _images(spec: Spec) -> Iterator[Broken]:
    images = {
        ("engine", "image"): spec.engine.image,
        ("monitoring", "exporter", "image"): spec.monitoring.exporter.image,
        ("tools", "image"): spec.tools.image,
    }
    for path, image in images.items():
        if image is None or "@" in image:
            continue
        _name, colon, tag = image.rpartition("/")[2].partition(":")
        if not colon:
            what = f"{image} has no tag, which means latest: another release at every start"
            yield Broken(path, f"{what}; name one, or a digest")
        elif tag == "latest":
            what = f"{image} is another release whenever one appears"
            yield Broken(path, f"{what}; name one, or a digest")


def _monitoring(spec: Spec) -> Iterator[Broken]:
    if spec.monitoring.exporter.port == REDIS_PORT:
        what = f"{REDIS_PORT} is the server's own port, in the same pod"
        yield Broken(("monitoring", "exporter", "port"), what)
    seen = set()
    for position, queue in enumerate(spec.monitoring.queues):
        if queue in seen:
            what = f'"{units.shortened(queue)}" stands twice'
            yield Broken(("monitoring", "queues", position), what)
        seen.add(queue)


def _gitops(spec: Spec, environments: Collection[str]) -> Iterator[Broken]:
    address = (spec.gitops.repo_url or "").partition("://")[2].partition("/")[0]
    if ":" in address.rpartition("@")[0]:
        what = "a password in the address would be in Git for all to read; give Argo CD a Secret"
        yield Broken(("gitops", "repoURL"), what)
    if environments and spec.gitops.environment not in environments:
        what = f'"{spec.gitops.environment}" is none of the environments'
        yield Broken(
            ("gitops", "environment"),
            f"{what}; {words.did_you_mean(spec.gitops.environment, environments)}",
            (("environments",),),
        )


LIMIT: Path = ("memory", "limit")
MAXMEMORY: Path = ("memory", "maxmemory")
SIZE: Path = ("storage", "size")
