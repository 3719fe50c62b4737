"""The connection that `up` prints, pasted into real programs, on servers that fail."""

import contextlib
import itertools
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from sturdis.core.bullmq import contract
from tests.integration.servers import LOOPBACK, Server, TcpProxy, start_server, wait_until

PACKAGES = Path(__file__).parents[2] / "examples/bullmq/node_modules"

pytestmark = pytest.mark.tier("embedded")

languages = pytest.mark.parametrize(
    "language", [pytest.param("typescript", marks=pytest.mark.tier("node")), "python"]
)

# Each line of input, a number and a delay in ms, asks for one job; each line of output is an event.
DRIVER_IN_NODE = """
import { createInterface } from 'node:readline';

const tell = (...words) => console.log(...words);
worker.on('completed', (job) => tell('done', job.data.number, job.id));
for await (const line of createInterface({ input: process.stdin })) {
  const [number, delay] = line.split(' ').map(Number);
  tell('asked', number);
  queue.add('job', { number }, { delay }).then(
    (job) => tell('acknowledged', number, job.id),
    (error) => tell('refused', number, error.message),
  );
}
await worker.close();
await queue.close();
"""

DRIVER_IN_PYTHON = """
import asyncio, pathlib, sys

def tell(*words):
    print(*words, flush=True)

async def add(queue, number, delay):
    tell("asked", number)
    try:
        job = await queue.add("job", {"number": number}, {"delay": delay})
    except Exception as error:
        tell("refused", number, error)
    else:
        tell("acknowledged", number, job.id)

async def main():
    pasted = {}
    exec(pathlib.Path(sys.argv[1]).read_text(), pasted)
    worker, queue = pasted["worker"], pasted["queue"]
    worker.on("completed", lambda job, _result: tell("done", job.data["number"], job.id))
    while line := await asyncio.to_thread(sys.stdin.readline):
        await add(queue, *map(int, line.split()))
    await worker.close()
    await queue.close()

asyncio.run(main())
"""


class Program:
    """A running producer and worker, and what it told so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._numbers = itertools.count(1)
        self._told: list[list[str]] = []
        self._listening = threading.Thread(target=self._listen)
        self._listening.start()

    def add(self, jobs: int, *, delay: int = 0) -> None:
        """Ask for `jobs` more jobs, `delay` ms from now, without waiting for any."""
        assert self._process.stdin is not None
        for number in itertools.islice(self._numbers, jobs):
            self._process.stdin.write(f"{number} {delay}\n")
        self._process.stdin.flush()

    def told(self, event: str) -> list[str]:
        """Give the rest of every line that tells of `event`."""
        return [rest for name, rest in list(self._told) if name == event]

    def wait(self, event: str, times: int) -> None:
        """Wait until `event` was told at least so many times."""
        wait_until(lambda: len(self.told(event)) >= times, f"{times} {event}", seconds=15)

    def end(self) -> int:
        """Let it close its worker and its queue, and give its exit status."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        status = self._process.wait(15)
        self._listening.join()
        return status

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._listening.join()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._told.append(line.strip().split(" ", maxsplit=1))


@contextlib.contextmanager
def pasted(language: str, snippet: str, folder: Path) -> Iterator[Program]:
    """Run a program made of the printed connection and a driver, until the block ends."""
    if language == "python":
        (folder / "pasted.py").write_text(snippet)
        (folder / "driver.py").write_text(DRIVER_IN_PYTHON)
        command = [sys.executable, str(folder / "driver.py"), str(folder / "pasted.py")]
    else:
        assert compile_strictly(snippet, folder) == ""
        with (folder / "pasted.mjs").open("a") as compiled:
            compiled.write(DRIVER_IN_NODE)
        command = ["node", str(folder / "pasted.mjs")]
    pipe = subprocess.PIPE
    with (
        (folder / "stderr").open("w") as log,
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, text=True) as process,
    ):
        program = Program(process)
        try:
            yield program
        finally:
            program.kill()


def compile_strictly(snippet: str, folder: Path) -> str:
    """Compile the snippet to `pasted.mjs` in `folder`, and give what the compiler says."""
    (folder / "node_modules").symlink_to(PACKAGES)
    (folder / "pasted.mts").write_text(snippet)
    # BullMQ's own types need those of Node.
    how = ("--strict", "--module", "nodenext", "--target", "es2022", "--types", "node")
    command = [str(PACKAGES / ".bin/tsc"), *how, "--pretty", "false", "pasted.mts"]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=20, check=False
    ).stdout


def printed(language: str, port: int) -> str:
    connection = {"typescript": contract.typescript, "python": contract.python}
    return connection[language](LOOPBACK, port)


def fail_over(old: Server, new: Server) -> None:
    """Let `new` take over all data, and `old` follow it, read-only, with its clients connected."""
    assert old.call("FAILOVER") == b"OK"
    wait_until(lambda: new.info("replication")["role"] == "master", "the promotion")
    wait_until(lambda: old.info("replication")["role"] == "slave", "the demotion")


def wait_until_idle(server: Server) -> None:
    """Return when a worker waits on `server` for jobs: one that reconnects does not close."""
    wait_until(lambda: "cmd=bzpopmin" in str(server.call("CLIENT", "LIST")), "an idle worker")


@contextlib.contextmanager
def replicated(folder: Path) -> Iterator[tuple[Server, Server]]:
    """Run a server and its replica in sync."""
    at_once = ("--repl-diskless-sync-delay", "0")
    with (
        start_server(folder / "a", *at_once) as first,
        start_server(folder / "b", *at_once) as second,
    ):
        second.call("REPLICAOF", LOOPBACK, first.port)
        wait_until(
            lambda: "state=online" in first.info("replication").get("slave0", ""), "the sync"
        )
        yield first, second


@pytest.mark.tier("node")
def test_the_typescript_connection_compiles_under_strict(tmp_path):
    assert compile_strictly(printed("typescript", 6379), tmp_path) == ""
    assert (tmp_path / "pasted.mjs").exists()


@languages
def test_jobs_flow_on_when_the_server_turns_read_only_and_the_service_moves(language, tmp_path):
    with (
        replicated(tmp_path) as (old, new),
        TcpProxy(old.port) as service,
        pasted(language, printed(language, service.port), tmp_path) as program,
    ):
        program.add(50)
        program.wait("done", 1)
        fail_over(old, new)
        program.add(50)
        wait_until(lambda: "errorstat_READONLY" in old.info("errorstats"), "a refusal")
        service.target = new.port
        program.add(50)
        program.wait("done", 150)
        wait_until_idle(new)
        assert program.end() == 0
        acknowledged, done = program.told("acknowledged"), program.told("done")
        assert int(old.info("errorstats")["errorstat_READONLY"].removeprefix("count=")) > 0
    assert len(set(acknowledged)) == 150
    assert Counter(done) == Counter(acknowledged)


@languages
def test_without_it_the_same_move_leaves_the_producer_refused(language, tmp_path):
    with replicated(tmp_path) as (old, new), TcpProxy(old.port) as service:
        usual = without_leaving(printed(language, service.port))
        with pasted(language, usual, tmp_path) as program:
            program.add(1)
            program.wait("done", 1)
            fail_over(old, new)
            service.target = new.port
            for refused in range(1, 4):  # in turn, for redis-py would open more connections
                program.add(1)
                program.wait("refused", refused)
    assert all("read only replica" in refused for refused in program.told("refused"))


def without_leaving(snippet: str) -> str:
    """Take out of a printed connection what makes it leave a read-only server."""
    lines = snippet.replace("ReadOnlyError, TimeoutError]", "TimeoutError]").splitlines()
    usual = "\n".join(line for line in lines if "reconnectOnError" not in line)
    assert usual != snippet
    return usual


@languages
def test_an_add_made_while_the_server_is_down_is_processed_when_it_is_back(language, tmp_path):
    # everysec would hold writes back on a slow disk, and a job done before the kill be done again
    lasting = ("--appendonly", "yes", "--appendfsync", "always")
    with (
        start_server(tmp_path / "data", *lasting) as killed,
        pasted(language, printed(language, killed.port), tmp_path) as program,
    ):
        program.add(3)
        program.wait("done", 3)
        killed.kill()
        program.add(3)
        program.wait("asked", 4)
        assert len(program.told("acknowledged")) == 3
        with start_server(tmp_path / "data", *lasting, port=killed.port) as restarted:
            program.wait("done", 6)
            wait_until_idle(restarted)
            assert program.end() == 0
    assert len(set(program.told("acknowledged"))) == 6
    assert Counter(program.told("done")) == Counter(program.told("acknowledged"))


@languages
def test_an_idle_worker_runs_a_job_that_is_due_in_six_seconds(language, tmp_path):
    with (
        start_server(tmp_path / "data") as server,
        pasted(language, printed(language, server.port), tmp_path) as program,
    ):
        program.add(1)
        program.wait("done", 1)
        program.add(1, delay=6000)  # redis-py waits for 5 s unless told otherwise
        program.wait("done", 2)
        wait_until_idle(server)
        assert program.end() == 0
