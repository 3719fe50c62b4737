"""Our metrics of queues, against what BullMQ itself tells of the same queues."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from bullmq import FlowProducer, Queue, Worker

from sturdis.adapters.redis.link import Link
from sturdis.adapters.redis.metrics_source import MetricsSource
from sturdis.core import address as addresses
from sturdis.core.address import Address
from sturdis.core.bullmq.states import STATES
from sturdis.core.metrics.exposition import exposition
from tests.integration.running import SERVERS, running
from tests.integration.scrapes import Scraped, read, scrape
from tests.integration.servers import LOOPBACK, Server, start_server, wait_until

ODD_NAME = 'with "quotes", \\ and ü'
QUOTED_NAME = 'with"quotes"and\\'  # Python's worker puts it into its client name: no spaces
HOUR_MS = 3_600_000


async def fill(url: str, prefix: str, name: str) -> dict[str, int]:
    """Bring jobs into every state, and give BullMQ's own count of them."""
    options = {"connection": url, "prefix": prefix}
    queue, flows = Queue(name, options), FlowProducer(url, {"prefix": prefix})
    worker = Worker(name, None, {**options, "autorun": False})
    await queue.addBulk([{"name": "job", "data": {}} for _ in range(9)])
    for end in ("completed", "completed", "failed", "active"):
        job = await worker.getNextJob("token")
        if end == "completed":
            await job.moveToCompleted("done", "token")
        elif end == "failed":
            await job.moveToFailed(Exception("no"), "token")
    for _ in range(4):
        await queue.add("job", {}, {"delay": HOUR_MS})
    for _ in range(6):
        await queue.add("job", {}, {"priority": 3})
    child = {"name": "child", "queueName": name}
    await flows.add({"name": "parent", "queueName": name, "children": [child, child]})
    counts: dict[str, int] = await queue.getJobCounts()
    await worker.close(force=True)
    await flows.close()
    await queue.close()
    return counts


@pytest.mark.parametrize("server", SERVERS)
def test_the_counts_are_those_of_python_bullmq(server):
    with running("--ephemeral", "--server", server) as up:
        expected = {
            prefix: asyncio.run(fill(up.url, prefix, name))
            for prefix, name in (("bull", "mails"), ("{b}:team", QUOTED_NAME))
        }
        ours = scrape(up.ready["metrics"])
    assert expected["bull"] == {
        "active": 1, "completed": 2, "delayed": 4, "failed": 1, "prioritized": 6, "waiting": 7,
        "waiting-children": 1,
    }  # fmt: skip
    mails = ours.states(prefix="bull", queue="mails")
    assert mails == {**expected["bull"], "paused": 0}
    assert ours.states(prefix="{b}:team", queue=QUOTED_NAME) == mails


IN_NODE = """
import { FlowProducer, Queue, Worker } from 'bullmq';

const [port, name] = process.argv.slice(2);
const connection = { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null };
const queue = new Queue(name, { connection });
const flows = new FlowProducer({ connection });
const worker = new Worker(name, null, { connection, metrics: { maxDataPoints: 60 } });
await queue.addBulk(Array.from({ length: 9 }, () => ({ name: 'job', data: {} })));
for (const end of ['completed', 'completed', 'failed', 'active']) {
  const job = await worker.getNextJob('token');
  if (end === 'completed') await job.moveToCompleted('done', 'token', false);
  if (end === 'failed') await job.moveToFailed(new Error('no'), 'token', false);
}
for (let i = 0; i < 4; i++) await queue.add('job', {}, { delay: 3600000 });
for (let i = 0; i < 6; i++) await queue.add('job', {}, { priority: 3 });
const child = { name: 'child', queueName: name };
await flows.add({ name: 'parent', queueName: name, children: [child, child, child] });
await queue.pause();
console.log(JSON.stringify(await queue.exportPrometheusMetrics()));
await Promise.all([worker.close(), flows.close(), queue.close()]);
"""


def exported_by_node(url: str, name: str, folder: Path) -> Scraped:
    """Fill a queue in Node, and read what BullMQ exports of it."""
    packages = Path(__file__).parents[2] / "examples/bullmq/node_modules"
    (folder / "node_modules").symlink_to(packages)
    (folder / "fill.mjs").write_text(IN_NODE)
    port = str(addresses.parse(url).port)
    told = subprocess.run(
        ["node", "fill.mjs", port, name], cwd=folder, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    return read(json.loads(told.stdout) + "\n")


@pytest.mark.tier("node")
@pytest.mark.parametrize("server", SERVERS)
def test_names_labels_and_values_are_those_that_node_bullmq_exports(server, tmp_path):
    with running("--ephemeral", "--server", server) as up:
        theirs = exported_by_node(up.url, ODD_NAME, tmp_path)
        ours = scrape(up.ready["metrics"])
    counted = [labels for name, labels in theirs.values if name == "bullmq_job_count"]
    assert len(counted) == len(STATES) - 1, "all but paused"
    bull = frozenset({("prefix", "bull")})
    for labels in counted:
        value = theirs.values["bullmq_job_count", labels]
        assert ours.values["bullmq_job_count", labels | bull] == value, labels
    assert ours.kinds["bullmq_job_count"] == theirs.kinds["bullmq_job_count"]
    assert theirs.states(queue=ODD_NAME)["waiting"] > 0
    assert ours.value("bullmq_queue_paused", prefix="bull", queue=ODD_NAME) == 1


@contextmanager
def source(server: Server, **options: float) -> Iterator[MetricsSource]:
    """Read the metrics of a server without an `up`."""
    with closing(MetricsSource(Address(LOOPBACK, server.port), **options)) as reader:
        yield reader


def scraped(reader: MetricsSource) -> Scraped:
    return read(exposition(reader.read()).decode())


MAILS = {"prefix": "bull", "queue": "mails"}


@pytest.mark.tier("embedded")
def test_what_older_releases_keep_in_paused_is_counted(tmp_path):
    with start_server(tmp_path / "data") as server, source(server) as reader:
        server.call("HSET", "bull:mails:meta", "paused", 1, "version", "bullmq:5.81.5")
        server.call("RPUSH", "bull:mails:paused", "2", "1")
        server.call("HSET", "bull:mails:1", "timestamp", 1_000)
        ours = scraped(reader)
    assert ours.states(**MAILS) == {state.name: 0 for state in STATES} | {"paused": 2}
    assert ours.value("bullmq_queue_paused", **MAILS) == 1
    assert ours.value("bullmq_oldest_waiting_job_age_seconds", **MAILS) > 1_000_000_000


@pytest.mark.tier("embedded")
def test_what_is_overdue_and_how_long_the_events_are_is_told(tmp_path):
    with start_server(tmp_path / "data") as server, source(server) as reader:
        server.call("SET", "bull:mails:id", 3)
        server.call("ZADD", "bull:mails:delayed", 1_000 * 4096, "1", "+inf", "2", 2_000 * 4096, "3")
        for _ in range(5):
            server.call("XADD", "bull:mails:events", "*", "event", "added")
        ours = scraped(reader)
    assert ours.states(**MAILS)["delayed"] == 3
    assert ours.value("bullmq_overdue_delayed_jobs", **MAILS) == 2
    assert ours.value("bullmq_events_stream_length", **MAILS) == 5
    assert ours.value("bullmq_oldest_waiting_job_age_seconds", **MAILS) == 0


@pytest.mark.tier("embedded")
def test_keys_of_other_kinds_under_a_queues_names_break_nothing(tmp_path):
    with start_server(tmp_path / "data") as server, source(server) as reader:
        for part in ("meta", "wait", "events", "delayed", "paused"):
            server.call("SET", f"bull:mails:{part}", "x")
        server.call("SET", "bull:mails:id", "x")
        server.call("ZADD", "bull:mails:failed", 1, "1")
        server.call("SET", "user:42:id", "x")
        server.call("HSET", "article:7:meta", "version", "3")
        server.call("SET", b"bull:\xff:id", "x")
        ours = scraped(reader)
    assert ours.value("redis_up") == 1
    assert ours.states(**MAILS) == {
        "active": 0, "completed": 0, "failed": 1, "prioritized": 0, "waiting-children": 0,
    }  # fmt: skip
    assert {dict(labels)["queue"] for labels in ours.labelled("bullmq_job_count")} == {"mails"}


@pytest.mark.tier("embedded")
def test_a_queue_that_comes_or_goes_is_seen_by_the_next_search(tmp_path):
    with start_server(tmp_path / "data") as server, source(server, search_seconds=0.05) as reader:
        assert scraped(reader).states(**MAILS) == {}
        server.call("LPUSH", "bull:mails:wait", "1")
        server.call("SET", "bull:mails:id", "1")
        wait_until(lambda: scraped(reader).states(**MAILS).get("waiting") == 1, "the new queue")
        server.call("LPUSH", "bull:mails:wait", "2")
        assert scraped(reader).states(**MAILS)["waiting"] == 2, "counted anew at every scrape"
        server.call("DEL", "bull:mails:wait", "bull:mails:id")
        wait_until(lambda: scraped(reader).states(**MAILS) == {}, "the end of the queue")


@pytest.mark.tier("embedded")
def test_scrapes_do_not_walk_over_the_keys(tmp_path):
    with start_server(tmp_path / "data") as server, source(server, search_seconds=600) as reader:
        with Link(Address(LOOPBACK, server.port)) as link:
            link.call_all([("SET", f"key:{number}", "x") for number in range(20_000)])
        server.call("SET", "bull:mails:id", "1")
        server.call("LPUSH", "bull:mails:wait", "1")
        wait_until(lambda: scraped(reader).states(**MAILS) != {}, "the first search")
        walked = server.info("commandstats")["cmdstat_scan"]
        for _ in range(5):
            assert scraped(reader).states(**MAILS)["waiting"] == 1
        assert server.info("commandstats")["cmdstat_scan"] == walked
    assert int(walked.split("calls=")[1].split(",")[0]) >= 20


@pytest.mark.tier("embedded")
def test_the_queue_of_a_running_verify_is_not_told_of():
    with running("--ephemeral", "--server", "embedded") as up:
        up.cli("HSET", "sturdis:verify:5f1c:probe:meta", "version", "bullmq:6.7.0")
        up.cli("HSET", "bull:mails:meta", "version", "bullmq:6.7.0")
        ours = scrape(up.ready["metrics"])
    assert {dict(labels)["queue"] for labels in ours.labelled("bullmq_job_count")} == {"mails"}
