"""core/aof held against Redis' own checker, on what real servers and clients wrote."""

import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sturdis.core.aof.scan import Scan, Tail, scan
from tests.integration.running import SERVERS, STURDIS, running
from tests.integration.test_guard import INCREMENT

CHECKER = shutil.which("redis-check-aof")
SEED = 20480

pytestmark = [
    pytest.mark.tier("redis-server"),
    pytest.mark.skipif(CHECKER is None, reason="no redis-check-aof beside the redis-server"),
]


def good_up_to(path: Path) -> int:
    """Give the offset that redis-check-aof calls good."""
    answer = subprocess.run([str(CHECKER), path], capture_output=True, text=True, check=False)
    found = re.search(r"ok_up_to=(\d+)", answer.stdout)
    assert found, answer
    return int(found[1])


@pytest.mark.parametrize("server", SERVERS)
def test_the_safe_end_is_what_the_checker_calls_good(server, tmp_path):
    data = tmp_path / "data"
    with running("--data", str(data), "--server", server) as up:
        for number in range(3):
            up.cli("eval", "for i=1,9 do redis.call('set', i, ARGV[1]) end", "0", f"v{number}")
            answer = subprocess.run([*STURDIS, "verify", up.url], capture_output=True, check=False)
            assert answer.returncode == 0, answer.stdout.decode()
    whole = (data / INCREMENT).read_bytes()
    assert scan([whole]) == Scan(len(whole), len(whole), Tail.NONE, len(whole))
    assert whole.count(b"\r\nMULTI\r\n") > 10
    for cut in random.Random(SEED).sample(range(1, len(whole)), 50):  # noqa: S311  not secret
        path = tmp_path / "cut.aof"
        path.write_bytes(whole[:cut])
        seen = scan([whole[:cut]])
        if (last := whole[:cut].rpartition(b"\n")[2]).startswith(b"#"):
            # to the checker and to servers an annotation without its end is whole; the next
            # write then becomes a part of it
            assert good_up_to(path) in (cut, seen.safe_end), last
        else:
            assert seen.safe_end == good_up_to(path), cut
