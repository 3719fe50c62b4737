"""Draws the README's picture from a real run: `python scripts/picture.py docs/picture.svg`."""

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

STURDIS = (sys.executable, "-m", "sturdis")
WIDTH = 126

SHOWN = ("ping", "roundtrip", "persistence.appendonly", "memory.policy", "bullmq.job")
"""Checks of the picture; an ellipsis stands for the others."""


def seen_on_a_terminal(*arguments: str) -> str:
    """Run one command on a pseudo-terminal and give what it printed, colours included."""
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [*STURDIS, *arguments], stdout=follower, stderr=subprocess.DEVNULL
    ) as process:
        os.close(follower)
        printed = b""
        try:
            while part := os.read(leader, 4096):
                printed += part
        except OSError:  # the terminal's other end is closed: Linux' way of saying so
            pass
        process.wait()
    os.close(leader)
    return printed.decode().replace("\r\n", "\n")


def shortened(report: str) -> str:
    """Keep the blocks of the checks in `SHOWN`, and what stands around all blocks."""
    head, *blocks = re.split(r"\n(?=\S*(?:pass|warn|fail|unknown|n/a)\S* )", report)
    last, _blank, count = blocks.pop().rpartition("\n\n")
    lines = [head]
    for block in (*blocks, last):
        if re.split(r"\s+", re.sub(r"\x1b\[[0-9;]*m", "", block))[1] in SHOWN:
            lines.append(block)
        elif lines[-1] != "…":
            lines.append("…")
    return "\n".join((*lines, "", count))


def main() -> None:
    """Draw what `sturdis verify` prints, before and after a promise is broken."""
    if "inside" not in sys.argv:  # start a server, and run this again in it
        again = (sys.executable, __file__, sys.argv[1], "inside")
        subprocess.run([*STURDIS, "up", "--ephemeral", "--", *again], check=True)
        return
    subprocess.run(
        [*STURDIS, "cli", "config", "set", "maxmemory-policy", "allkeys-lru"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    shown = shortened(seen_on_a_terminal("verify"))
    shown = re.sub(r"redis://127\.0\.0\.1:\d+", "redis://127.0.0.1:6379", shown)
    shown = re.sub(r"http://127\.0\.0\.1:\d+", "http://127.0.0.1:9121", shown)
    shown = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[-0-9a-f]+", "5f1c…", shown)
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(f"$ sturdis verify\n{shown}"), soft_wrap=True)
    svg = console.export_svg(title="sturdis verify")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # no fonts from elsewhere
    svg = re.sub(r"\s*<!--.*?-->", "", svg)
    svg = re.sub(r"terminal-\d+", "terminal", svg)  # the same run draws the same bytes
    Path(sys.argv[1]).write_text(svg)


if __name__ == "__main__":
    main()
