"""What rendering everything costs: base, overlays, Application, written to a new folder."""

import statistics
import sys
import tempfile
from pathlib import Path

from bench.figures import PAIRS, at_most
from bench.startup import cpu_ms

RENDER_CPU_MS = 200

SPEC = "gitops: {repoURL: 'ssh://git.local/app.git'}\n"


def run() -> bool:
    """Measure and print; tell whether the limit is kept."""
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder, "sturdis.yaml")
        spec.write_text(SPEC)
        render = (sys.executable, "-m", "sturdis", "render", "--spec", str(spec), "-o")
        spent = [cpu_ms(*render, str(Path(folder, str(number)))) for number in range(PAIRS)]
    print(f"render: median of {PAIRS}")
    return at_most("sturdis render, CPU", statistics.median(spent), RENDER_CPU_MS)
