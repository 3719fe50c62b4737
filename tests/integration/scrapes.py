"""Reading metrics endpoints, ours and the real redis_exporter's."""

import contextlib
import os
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from sturdis.adapters.local import ports
from tests import matrix
from tests.integration.servers import LOOPBACK, wait_until

Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Scraped:
    """One scrape: the kind of each name, and each value by its name and labels."""

    kinds: Mapping[str, str]
    values: Mapping[tuple[str, Labels], float]

    def labelled(self, name: str) -> set[Labels]:
        """Give the sets of labels that a name comes with."""
        return {labels for one, labels in self.values if one == name}

    def value(self, name: str, **labels: str) -> float:
        """Give one value."""
        return self.values[name, frozenset(labels.items())]

    def states(self, **queue: str) -> dict[str, float]:
        """Give the number of jobs of a queue by state."""
        found = ((dict(labels), value) for (name, labels), value in self.values.items()
                 if name == "bullmq_job_count")  # fmt: skip
        return {
            labels["state"]: value for labels, value in found if labels.items() >= queue.items()
        }


def read(text: str) -> Scraped:
    """Read a text as Prometheus does."""
    kinds, values = {}, {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            kinds[sample.name] = family.type
            values[sample.name, frozenset(sample.labels.items())] = float(sample.value)
    return Scraped(kinds, values)


def scrape(url: str) -> Scraped:
    """Scrape once."""
    with urllib.request.urlopen(url, timeout=10) as reply:
        return read(reply.read().decode())


@contextlib.contextmanager
def exporter(redis_url: str, **environ: str) -> Iterator[str]:
    """Run the real exporter until the block ends; give the address of its metrics.

    `environ` are settings of its own: `REDIS_EXPORTER_…`.
    """
    port = ports.claim(0, option="")
    command = [str(matrix.EXPORTER), "-web.listen-address", f"{LOOPBACK}:{port}"]
    with subprocess.Popen(
        [*command, "-redis.addr", redis_url],
        stderr=subprocess.DEVNULL,
        env={**os.environ, **environ},
    ) as process:
        url = f"http://{LOOPBACK}:{port}/metrics"
        try:
            wait_until(lambda: _serves(url), "the exporter")
            yield url
        finally:
            process.kill()


def _serves(url: str) -> bool:
    try:
        scrape(url)
    except OSError:
        return False
    return True
