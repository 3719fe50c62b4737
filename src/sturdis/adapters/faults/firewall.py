"""Packets dropped by the kernel: a table of nftables of a drill's own, for one port of loopback."""

import os
import shutil
import subprocess

from sturdis.adapters.drill.undo_journal import Journal
from sturdis.core.drill.undo import RemoveTable
from sturdis.core.errors import DrillError

FAMILY = "inet"

RULES = """
table inet {name} {{
    chain dropped {{
        type filter hook input priority -10; policy accept;
        iif lo tcp dport {port} counter drop
        iif lo tcp sport {port} counter drop
    }}
}}
"""


def missing() -> str:
    """Say why no packet can be dropped here; empty: it can."""
    if os.geteuid() != 0:
        return "rules of nftables need root"
    if shutil.which("nft") is None:
        return "no nft on PATH (Debian: apt install nftables)"
    told = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=False)
    return "" if told.returncode == 0 else f"nft is refused: {told.stderr.strip()}"


class Firewall:
    """Drops all packets to and from `port` on loopback while it is `up`; nothing else is touched.

    Args:
        port: The server's.
        journal: Where the table is noted before it is made.
    """

    def __init__(self, port: int, journal: Journal) -> None:
        self._port = port
        self._journal = journal
        self._noted = 0
        self.name = f"sturdis_drill_{os.getpid()}_{port}"

    def drop(self) -> None:
        """Drop packets from now on.

        Raises:
            DrillError: `drill.lacking`: the kernel takes no such rule.
        """
        self._noted = self._journal.note(RemoveTable(FAMILY, self.name))
        rules = RULES.format(name=self.name, port=self._port)
        told = subprocess.run(
            ["nft", "-f", "-"], input=rules, capture_output=True, text=True, check=False
        )
        if told.returncode:
            raise DrillError(
                "drill.lacking",
                "packets cannot be dropped here",
                why=told.stderr.strip(),
                do="run the drill as root, on a kernel with nf_tables",
            )

    def dropped(self) -> int:
        """Count the packets that were dropped."""
        told = subprocess.run(
            ["nft", "list", "table", FAMILY, self.name], capture_output=True, text=True, check=False
        )
        words = told.stdout.split()
        return sum(int(words[at + 1]) for at, word in enumerate(words) if word == "packets")

    def let_pass(self) -> None:
        """Drop none any more. A second time does nothing."""
        self._journal.undo(self._noted)
