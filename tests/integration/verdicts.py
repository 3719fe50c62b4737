"""What `verify` found, in short."""

import json
from pathlib import Path

from sturdis.adapters.redis.target import RedisTarget
from sturdis.core import checks
from sturdis.core.address import Address
from sturdis.core.spec import Spec
from tests.integration.running import sturdis
from tests.integration.servers import LOOPBACK

NOT_SHOWN_HERE = set() if Path("/sys/kernel").exists() else {"memory.hugepages"}
"""Checks that are n/a on this machine, as in a chroot without /sys."""


def verdicts(*arguments: str, **options: object) -> tuple[int, dict[str, str]]:
    answer = sturdis("verify", "--json", *arguments, **options)
    assert answer.stderr == ""
    report = json.loads(answer.stdout)
    return answer.returncode, {one["id"]: one["verdict"] for one in report["checks"]}


def not_passed(*arguments: str, **options: object) -> tuple[int, dict[str, str]]:
    status, found = verdicts(*arguments, **options)
    return status, {
        check: verdict
        for check, verdict in found.items()
        if verdict != "pass" and check not in NOT_SHOWN_HERE
    }


def troubles(port: int, *, spec: Spec, user: str | None = None) -> dict[str, str]:
    """Look at a server of its own, without metrics, and give what it did not pass."""
    address = Address(LOOPBACK, port, username=user, password="any" if user else None)
    target = RedisTarget(address, cli="sturdis cli", metrics_url=None)
    report = checks.check(spec, target.observe())
    return {
        one.check: one.verdict.value
        for one in report.findings
        if one.verdict.value != "pass" and one.check not in {"metrics", *NOT_SHOWN_HERE}
    }
