"""Whether the data of a server that others started is in the files that ours will load.

Ours loads an append-only file and nothing else. A server that only keeps snapshots, or only memory,
must write one first, or its data is lost with its pod.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sturdis.core import info, upgrade
from sturdis.core.apply import ownership
from sturdis.core.apply.facts import Facts
from sturdis.core.apply.server import server_container
from sturdis.core.apply.takeover import VOLUME, refused, words_of
from sturdis.core.cluster import STATEFUL_SET, Manifest, Ref
from sturdis.core.errors import ClusterError
from sturdis.core.facts import Unseen
from sturdis.core.render import configuration, metadata
from sturdis.core.spec import Spec

START = ["sh", f"{metadata.CONFIG_FOLDER}/{configuration.START}"]
"""What our server's container runs: with an append-only file, whatever else it does."""

SETTING = "config-"
"""What an answer has before the name of a setting."""

MULTI_PART = 7
"""First major release of Redis whose append-only file is several files, led by a manifest."""

OURS = {"appendfilename": "appendonly.aof", "appenddirname": "appendonlydir"}
"""Where our server looks for its files: names of its settings, and their defaults in Redis 7."""


@dataclass(frozen=True)
class Persistence:
    """What a server tells of its append-only file."""

    is_on: bool
    is_rewriting: bool
    """Whether it is still being written for the first time, or anew."""
    has_failed: bool
    """Whether its last rewrite came to nothing."""
    version: str
    """Of Redis, or the one that a Valkey is compatible with; empty: it does not tell."""
    settings: Mapping[str, str]
    """`dir` and the names of `OURS`; those that it does not tell are missing."""


def parse(text: str) -> Persistence | Unseen:
    """Read `INFO persistence`, `INFO server`, and a line `config-NAME:VALUE` for each setting."""
    told = info.parse(text)
    if "aof_enabled" not in told:
        return Unseen(" ".join(text.split()[:20]) or "it did not answer")
    flags = ("aof_rewrite_in_progress", "aof_rewrite_scheduled")
    settings = {key.removeprefix(SETTING): value for key, value in told.items() if value}
    return Persistence(
        told["aof_enabled"] == "1",
        any(told.get(flag, "0") != "0" for flag in flags),
        told.get("aof_last_bgrewrite_status", "ok") != "ok",
        told.get("redis_version", ""),
        {key: settings[key] for key in ("dir", *OURS) if SETTING + key in told and key in settings},
    )


def asked(stateful_set: Manifest | None, pod: Manifest | None) -> str | None:
    """Name the container of the pod whose server must be asked; None: nobody need be."""
    if pod is None or not _is_of_others(stateful_set, pod["spec"]):
        return None
    container = server_container(pod["spec"])
    return None if container is None else str(container["name"])


def objections(spec: Spec, facts: Facts) -> Iterator[ClusterError]:
    """Say why data of the server that is there would be lost with it."""
    found = _former(spec, facts)
    if found is None:
        return
    container = server_container(found)
    if container is None:
        yield refused(
            spec, f"no container mounts its volume {VOLUME}, so its data is not in there",
            "deploy under another name beside it, and move the jobs over",
        )  # fmt: skip
        return
    if _has_one_file(facts, container):
        yield _of_one_file(spec, facts, container)
    if isinstance(facts.persistence, Persistence):
        yield from _of_the_answer(spec, facts, container, facts.persistence)
    elif not _is_on_by_arguments(container):
        why = facts.persistence.reason if facts.persistence else "it does not run"
        yield refused(
            spec, f"its server does not tell whether its data is in an append-only file: {why}",
            f"let it run, and redis-cli get in: `{_cli(spec, facts, container)} ping` is to "
            "answer PONG, with a password by REDISCLI_AUTH from a Secret in the container; "
            "or start it with --appendonly yes; then sturdis apply --adopt",
        )  # fmt: skip


def warnings(spec: Spec, facts: Facts) -> Iterator[str]:
    """Say that a server is taken at its arguments' word."""
    if _former(spec, facts) is None or isinstance(facts.persistence, Persistence):
        return
    why = facts.persistence.reason if facts.persistence else "it does not run"
    yield f"--appendonly yes is taken at its word, as the server was not asked: {why}"


def _former(spec: Spec, facts: Facts) -> Mapping[str, Any] | None:
    """Give the pod's spec of a server of others that has data; None: there is none."""
    live = facts.live.get(Ref(STATEFUL_SET, spec.name, spec.namespace))
    if facts.pod is not None:
        found: Mapping[str, Any] = facts.pod["spec"]
    elif live is not None and facts.claim is not None:
        found = live["spec"]["template"]["spec"]
    else:
        return None
    return found if _is_of_others(live, found) else None


def _is_of_others(stateful_set: Manifest | None, pod_spec: Mapping[str, Any]) -> bool:
    if stateful_set is not None and ownership.is_ours(stateful_set):
        return False
    container = server_container(pod_spec)
    return container is None or container.get("command") != START


def _of_the_answer(
    spec: Spec, facts: Facts, container: Mapping[str, Any], told: Persistence
) -> Iterator[ClusterError]:
    mounts = (one["mountPath"] for one in container["volumeMounts"] if one["name"] == VOLUME)
    wanted = {"dir": next(mounts).rstrip("/"), **OURS}
    for name, value in told.settings.items():
        if value.rstrip("/") != wanted[name]:
            yield refused(
                spec, f"its server runs with {name} {value}, not {wanted[name]}",
                "move its files to the top of its volume, under the names of Redis' defaults",
            )  # fmt: skip
    cli = _cli(spec, facts, container)
    wait = f"`{cli} info persistence` until it says aof_rewrite_in_progress:0"
    if not told.is_on:
        yield refused(
            spec, "its server keeps no append-only file (appendonly no), and ours loads no other",
            f"{cli} config set appendonly yes; then {wait}; then sturdis apply --adopt",
        )  # fmt: skip
    elif told.is_rewriting:
        yield refused(
            spec, "its server is still writing its append-only file",
            f"{wait}; then sturdis apply --adopt",
        )  # fmt: skip
    elif told.has_failed:
        yield refused(
            spec, "the last rewrite of its append-only file failed (aof_last_bgrewrite_status)",
            f"make room on the volume, {cli} bgrewriteaof; then {wait}; then sturdis apply --adopt",
        )  # fmt: skip


def _has_one_file(facts: Facts, container: Mapping[str, Any]) -> bool:
    if isinstance(facts.persistence, Persistence):
        major = facts.persistence.version.partition(".")[0]
        return major.isdecimal() and int(major) < MULTI_PART
    found = upgrade.server_of(container["image"])
    return found is not None and found.product == "redis" and found.version[0] < MULTI_PART


def _of_one_file(spec: Spec, facts: Facts, container: Mapping[str, Any]) -> ClusterError:
    name = container["name"]
    image = f"{facts.kubectl} set image statefulset/{spec.name} {name}=redis:{MULTI_PART}.0"
    return refused(
        spec, f"its server is of Redis before {MULTI_PART}.0, whose append-only file is one file",
        f"let a Redis {MULTI_PART}.0 that keeps one convert it: {image}; when it serves, "
        "sturdis apply --adopt",
    )  # fmt: skip


def _is_on_by_arguments(container: Mapping[str, Any]) -> bool:
    words = [part for word in words_of(container) for part in word.split()]
    pairs = itertools.pairwise(words)
    values = [value for option, value in pairs if option == "--appendonly"]
    return values[-1:] == ["yes"]


def _cli(spec: Spec, facts: Facts, container: Mapping[str, Any]) -> str:
    pod, name = metadata.pod_name(spec), container["name"]
    return f"{facts.kubectl} exec {pod} -c {name} -- redis-cli"
