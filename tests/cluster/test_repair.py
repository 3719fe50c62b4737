"""A damaged file on a claim, mended by the commands of docs/repair.md as they stand there."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests import matrix
from tests.cluster.drills.faulty import NAME, Faulty, faulty
from tests.cluster.machine.places import ROOT
from tests.integration.servers import wait_until

KEYS = 400
HIT = 200
DAMAGE = f"""
  file=$(ls /data/appendonlydir/*.incr.aof | tail -n 1)
  at=$(grep -abo key:{HIT} "$file" | head -n 1 | cut -d: -f1)
  printf XXXXXXXX | dd of="$file" bs=1 seek=$((at - 8)) conv=notrunc
"""
"""Over the frame of the command that sets the key, which stands in the middle of the file."""


def blocks() -> list[str]:
    """Give what docs/repair.md has typed on Kubernetes, in its order."""
    _before, _head, section = (ROOT / "docs/repair.md").read_text().partition("\n## On Kubernetes")
    found = re.findall(r"(?ms)^```sh\n(.*?)^```", section.partition("\n## ")[0])
    assert len(found) >= 4
    return found


def fitted(block: str) -> str:
    """Put this machine's server in, and agree to the plan."""
    (row,) = (row for row in matrix.ROWS if str(row) == "redis-8.0")
    typed = f"sturdis repair data --server {row.server} --yes"
    return block.replace("sturdis repair data --server /usr/bin/redis-server", typed)


def typed(block: str, folder: Path, redis: Faulty) -> None:
    """Type a block in `folder`."""
    cluster = redis.deployed.cluster
    places = (Path(cluster.program).parent, Path(sys.executable).parent, os.environ["PATH"])
    environ = os.environ | {"PATH": ":".join(map(str, places))}
    script = f"set -e\n{fitted(block)}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"


def test_a_damaged_file_on_a_claim_is_mended_as_documented(cluster, tmp_path, tell):
    examples = tmp_path / "examples"
    examples.mkdir()
    pod = (ROOT / "examples/repair-pod.yaml").read_text()
    with faulty(cluster, tmp_path) as redis:
        image = redis.deployed.get("pod", NAME)["spec"]["containers"][0]["image"]
        named = re.sub(r"image: redis:\S+", f"image: {image}", pod)
        (examples / "repair-pod.yaml").write_text(named)
        sets = f"for i in $(seq {KEYS}); do echo set key:$i value:$i; done | redis-cli"
        redis.deployed.kubectl("exec", NAME, "-c", "redis", "--", "sh", "-c", sets)
        redis.deployed.kubectl("exec", NAME, "-c", "redis", "--", "sh", "-c", DAMAGE)
        redis.deployed.kubectl("delete", "pod", NAME)
        wait_until(lambda: "sturdis repair" in refusal(redis), "the start is refused", seconds=90)
        for block in blocks():
            typed(block, tmp_path, redis)
        cluster.wait_ready("redis", NAME)
        left = set(redis.says("--scan", "--pattern", "key:*").split())
    lost = {f"key:{number}" for number in range(1, KEYS + 1)} - left
    tell(f"repair of a claim: {len(left)} of {KEYS} keys are there, {len(lost)} were hit")
    assert lost == {f"key:{HIT}"}


def refusal(redis: Faulty) -> str:
    """Give what the server's container said when it refused to start; empty: not yet."""
    logs = ("logs", NAME, "-c", "redis")
    done = redis.deployed.cluster.try_kubectl("-n", redis.deployed.namespace, *logs)
    return done.stdout
