"""What `verify` found, in short."""

import json

from tests.integration.running import sturdis


def verdicts(*arguments: str, **options: object) -> tuple[int, dict[str, str]]:
    answer = sturdis("verify", "--json", *arguments, **options)
    assert answer.stderr == ""
    report = json.loads(answer.stdout)
    return answer.returncode, {one["id"]: one["verdict"] for one in report["checks"]}


def not_passed(*arguments: str, **options: object) -> tuple[int, dict[str, str]]:
    status, found = verdicts(*arguments, **options)
    return status, {check: verdict for check, verdict in found.items() if verdict != "pass"}
