"""Whether it answers, takes writes, is the one to write to, is watched, and lets only some in."""

from sturdis.core.address import LOOPBACK, Address
from sturdis.core.checks.judgement import (
    Check,
    Judgement,
    failed,
    info,
    known,
    number,
    passed,
    setting,
    unknown,
    unseen,
    warned,
)
from sturdis.core.cluster import NETWORK_POLICY
from sturdis.core.cluster_facts import ClusterFacts
from sturdis.core.facts import NoScrape, Refused, ServerFacts, Unseen
from sturdis.core.spec import Spec


def _ping(_spec: Spec, facts: ServerFacts) -> Judgement:
    seen = known(facts.ping, f"{facts.cli} acl whoami")
    if seen.text == "PONG":
        return passed(f"PONG after {seen.milliseconds:.1f} ms")
    return failed(seen.text, f"{facts.cli} info persistence")


def _round_trip(_spec: Spec, facts: ServerFacts) -> Judgement:
    seen = facts.round_trip
    if isinstance(seen, Unseen):
        return unseen(seen, f"{facts.cli} acl whoami")
    if isinstance(seen, Refused):
        return failed(seen.reason, f"{facts.cli} info persistence memory")
    if seen.read == seen.written and seen.deleted == 1:
        return passed(f"{seen.key}: written, read back the same, deleted")
    evidence = f"wrote {seen.written!r}, read {seen.read!r}, deleted {seen.deleted} keys"
    return failed(evidence, f"{facts.cli} info replication")


def _role(_spec: Spec, facts: ServerFacts) -> Judgement:
    role = info(facts, "role")
    if role == "master":
        return passed(f"master, with {number(facts, 'connected_slaves')} replicas")
    master = Address(info(facts, "master_host"), number(facts, "master_port"))
    return failed(
        f"{role} of {master}, link {info(facts, 'master_link_status')}", f"sturdis verify {master}"
    )


def _metrics(_spec: Spec, facts: ServerFacts) -> Judgement:
    seen = facts.scrape
    if isinstance(seen, Unseen):
        return unknown(seen.reason, "sturdis verify TARGET --metrics URL")
    show = "curl -s"
    if facts.cluster is not None and seen.url.startswith("/"):
        show = f"{facts.cluster.kubectl} get --raw"
    if isinstance(seen, NoScrape):
        return failed(seen.reason, f"{show} {seen.url}")
    up = seen.samples.get("redis_up")
    if up == 1:
        return passed(f"redis_up 1 at {seen.url}")
    shown = "no redis_up" if up is None else f"redis_up {up:g}"
    return failed(f"{shown} at {seen.url}", f"{show} {seen.url}")


def _access(_spec: Spec, facts: ServerFacts) -> Judgement:
    if known(facts.password_required, f"{facts.cli} ping"):
        return passed("a password is required")
    bind = setting(facts, "bind")
    listening = [address.removeprefix("-") for address in bind.split()]
    if listening and all(address in LOOPBACK for address in listening):
        return passed(f"no password, but only this machine connects: bind {bind}")
    if setting(facts, "protected-mode") == "yes":
        return passed("no password, but protected-mode refuses other machines")
    if facts.cluster is not None:
        return _access_in_cluster(facts.cluster)
    shown = bind or "every address"
    return warned(
        f"no password is required, and the server listens on {shown}",
        "in the server's redis.conf set requirepass, or bind 127.0.0.1; then restart it",
    )


def _access_in_cluster(cluster: ClusterFacts) -> Judgement:
    policies = [
        ref
        for ref, live in cluster.live.items()
        if ref.kind == NETWORK_POLICY and isinstance(live, dict)
    ]
    if policies:
        return passed(
            f"no password; {policies[0]} lets only labelled pods in, where it is enforced"
        )
    return warned(
        "no password is required, and every pod of the cluster reaches the port",
        f"access: {{passwordSecret: NAME, networkPolicy: true}} in the spec, then {cluster.apply}",
    )


ANSWERING = (
    Check(
        "ping",
        "PING is answered with PONG",
        "LOADING, MISCONF and NOAUTH are answers too: a server is well when the reply says so.",
        _ping,
    ),
    Check(
        "roundtrip",
        "a key can be written, read and deleted",
        "A server that refuses writes stops every queue, and may still answer PING.",
        _round_trip,
    ),
    Check(
        "role",
        "it is a master",
        "What is written to a replica is refused or lost, and its workers spin on errors.",
        _role,
    ),
)
"""Checks on being the server to speak to."""

AROUND = (
    Check(
        "metrics",
        "the metrics endpoint says redis_up 1",
        "Alerts that read no metrics stay silent when they are needed.",
        _metrics,
    ),
    Check(
        "access",
        "only those meant to can connect",
        "Whoever reaches the port can read every job and delete all of them.",
        _access,
    ),
)
"""Checks on who watches it and who may use it."""
