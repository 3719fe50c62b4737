"""The one place that joins flows with adapters, for the command line and for library users.

    from sturdis import wiring
    report = wiring.verify("redis://127.0.0.1:6379")

Adapters are imported where they are used: a verb pays only for what it needs.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from sturdis.core import address as addresses
from sturdis.core import aim as aims
from sturdis.core import local
from sturdis.core import spec as specs
from sturdis.core.aim import PASSWORD_VARIABLE, TARGET_VARIABLE, Aim, TargetRequest
from sturdis.core.errors import PortError, SpecError
from sturdis.core.facts import NOT_TRIED, NotVisible
from sturdis.core.local import Serving, UpRequest
from sturdis.core.notices import Notice, Ready
from sturdis.core.restarting import RestartPlan
from sturdis.core.spec import Spec
from sturdis.core.supervision import limits
from sturdis.core.supervision.limits import Limits

if TYPE_CHECKING:
    from sturdis.adapters.password_file import PasswordFile
    from sturdis.adapters.redis.restarts import ByShutdown
    from sturdis.core.aof.copying import Copied, Step
    from sturdis.core.drill.kill9 import DrillRecord, Kill9
    from sturdis.core.replies import Reply
    from sturdis.core.report import Report
    from sturdis.core.specfile import SpecFile

SPEC_FILE = "sturdis.yaml"
"""The spec that is read when none is named."""

FREE_PORT_ATTEMPTS = 3
"""How often a start is tried when another program takes a port that was found free."""


def load_spec(path: Path | None = None, environment: str | None = None) -> Spec:
    """Read the spec at `path`, else `sturdis.yaml` in this folder, else give the defaults.

    Args:
        path: The file.
        environment: Which of its environments is meant; None: the base.

    Raises:
        SpecError: `spec.unreadable`, or `spec.invalid` with every problem and its line.
        UsageError: `usage`: there is no such environment.
    """
    if path is None and environment is None and not os.path.lexists(SPEC_FILE):
        return Spec()  # the usual case need not read YAML
    return load_spec_file(path).deployment(environment).spec


def load_spec_file(path: Path | None = None) -> "SpecFile":
    """Read all that the spec at `path` says: base, environments, and the lines of both.

    Raises:
        SpecError: `spec.unreadable`, or `spec.invalid` with every problem and its line.
    """
    from sturdis.core import specfile

    if path is None:
        path = Path(SPEC_FILE)
        if not os.path.lexists(path):  # a link that leads nowhere is told of below
            return specfile.read("", source="the spec of the defaults")
    try:
        with path.open("rb") as file:
            content = file.read(specfile.MAX_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    if len(content) > specfile.MAX_BYTES:
        raise _unreadable(path, f"it is longer than {specfile.MAX_BYTES >> 10} KiB")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        why = f"line {line}: not UTF-8: {error.reason} at byte {error.start}"
        raise _unreadable(path, why) from error
    return specfile.read(text, source=str(path))


def up(request: UpRequest, tell: Callable[[Notice], None]) -> int:
    """Run the deployment on this machine until it is told to stop or its command ends.

    Args:
        request: What to run.
        tell: Called with all that people should know of, as it happens: `notices.Ready` once, when
            the server serves.

    Returns:
        The command's exit status, or 0 without a command.

    Raises:
        UsageError: It would listen beyond this machine without a password.
        SturdisError: Of the families server, data, port, access and command.
    """
    local.refuse_open(request)
    for _attempt in range(FREE_PORT_ATTEMPTS - 1):
        try:
            return _up_once(request, tell)
        except PortError as error:
            if error.code != "port.lost":
                raise
    return _up_once(request, tell)


def _up_once(request: UpRequest, tell: Callable[[Notice], None]) -> int:
    from sturdis.adapters.local import deployment
    from sturdis.flows import up as flow

    with deployment.prepare(request) as ready:
        budget = limits.start_budget(specs.maxmemory(request.spec))
        run = flow.Run(Limits(start=budget), request.command, _environment(request, ready.planned))
        return flow.run(ready.host, run, lambda: Ready(ready.announce()), tell)


def _environment(request: UpRequest, serving: Serving) -> dict[str, str]:
    """Give what the command finds in its environment, beside our own."""
    found = {"REDIS_URL": serving.url_with(request.password), TARGET_VARIABLE: serving.url}
    return found if request.password is None else found | {PASSWORD_VARIABLE: request.password}


def verify(
    target: TargetRequest | str | None = None,
    *,
    spec: Spec | None = None,
    metrics_url: str | None = None,
    read_only: bool = False,
    agree: Callable[[RestartPlan], None] | None = None,
) -> "Report":
    """Check every promise against what runs.

    Args:
        target: An address of redis://, rediss:// or unix://; None finds the running `up`.
        spec: What is promised; None: what the running `up` was given, else `load_spec()`.
        metrics_url: Where the metrics are; None: where the running `up` serves them. Of another
            target they are not known then.
        read_only: Send nothing that writes; what only that would show is unknown.
        agree: Restart the server as well, where a running `up` starts it again. Called with the
            plan before anything is done; what it raises ends the verb.

    Raises:
        UsageError: An address is not understood, or the files for TLS cannot be used.
        TargetError: There is no target, several, or it does not answer as Redis.
        AccessError: It does not let us in.
    """
    from sturdis.adapters.redis.target import RedisTarget
    from sturdis.flows import verify as flow

    aim = resolve(target)
    served = aim.running.at.metrics_url if aim.running else None
    metrics = addresses.parse_metrics_url(metrics_url) if metrics_url else served
    promised = spec or (aim.running.spec if aim.running else load_spec())
    budget = limits.start_budget(specs.maxmemory(promised))
    redis = RedisTarget(
        aim.address,
        cli=aim.cli,
        metrics_url=metrics,
        guarded=aim.running is not None,
        read_only=read_only,
        start_seconds=budget,
    )
    if agree is None:
        return flow.verify(promised, redis)
    return flow.verify(promised, redis, NOT_TRIED if read_only else _restart(aim, agree, budget))


def _restart(
    aim: Aim, agree: Callable[[RestartPlan], None], seconds: float
) -> "ByShutdown | NotVisible":
    from sturdis.adapters.redis.restarts import ByShutdown

    if aim.running is None:
        return NotVisible("not available here: no sturdis up of yours would start it again")
    agree(RestartPlan(str(aim.address), seconds))
    return ByShutdown(aim.address)


def call(words: Sequence[str | bytes], target: TargetRequest | str | None = None) -> "Reply":
    """Send one Redis command to the target and give its reply, however long it takes.

    Raises:
        UsageError: The address is not understood, or the files for TLS cannot be used.
        TargetError: There is no target, several, or it does not answer as Redis.
        AccessError: It does not let us in.
    """
    from sturdis.adapters.redis import link

    # A silent address is found out here, before waiting without limit.
    address = link.admitted(resolve(target).address)
    with link.Link(address, reply_seconds=None) as connection:
        return connection.call(*words)


def copy(
    folder: Path, target: TargetRequest | str | None, tell: "Callable[[Step], None]"
) -> "Copied":
    """Copy the append-only file of the target, on this machine, into a new folder.

    Args:
        folder: Where to; it is empty or not there.
        target: An address; None finds the running `up`.
        tell: Called with how far it has come, as it goes on.

    Raises:
        UsageError: The address is not understood.
        TargetError: There is no target, its files are elsewhere, or it did not rewrite them.
        AccessError: It does not let us in.
        DataError: The folder cannot be written, or what was copied is not whole.
    """
    from sturdis.adapters.local import aof_copy, signals
    from sturdis.adapters.redis import link, rewriting
    from sturdis.flows import copy as flow

    server = rewriting.RewritingServer(link.admitted(resolve(target).address))
    with signals.unwinding():
        return flow.copy(server, aof_copy.CopyFolder(folder), tell)


def kill9(
    drill: "Kill9", folder: Path, target: str | None = None, *, modules: Path | None = None
) -> "DrillRecord":
    """Kill the target's server again and again under load, and account for every job.

    The target is an `up` of this machine, which starts its server again. What it holds is at stake.

    Args:
        drill: What to do.
        folder: Where the ledger's log is written; no drill used it before.
        target: The address of an `up`; None finds the running one.
        modules: A folder with the Node BullMQ in its node_modules; None: only Python makes load.

    Raises:
        UsageError: The address is not understood.
        TargetError: There is no target, several, or it does not answer as Redis.
        AccessError: It does not let us in.
        DrillError: It is no `up` of this machine, did not serve again, or load or log failed.
    """
    from uuid import uuid4

    from sturdis.adapters.drill import ledger_log, load_process, server
    from sturdis.adapters.redis import link
    from sturdis.core.drill import kill9 as drills
    from sturdis.flows import kill9 as flow

    drill = drills.apart(drill, uuid4().hex)
    address = link.admitted(drills.place_of(resolve(target)))
    commands = load_process.commands(modules)
    plans = drills.load_plans(drill, address, str(folder), tuple(commands))
    with ExitStack() as parts:
        log = parts.enter_context(ledger_log.LedgerLog(folder, "drill"))
        starting = (load_process.LoadProcess(commands[plan.writer], plan) for plan in plans)
        loads = [parts.enter_context(load) for load in starting]
        killed = server.LocalServer(address)
        queues = server.DrillQueues(address, drill.prefix, drills.QUEUES)
        survey = flow.run(drill, flow.Stage(killed, loads, queues, log, server.SystemClock()))
    logs = ledger_log.read(folder)
    return drills.conclude(drill, logs.events, [str(one.path) for one in logs.torn], survey)


def write_report(path: str, text: str) -> None:
    """Write a report to the file `path`, whole or not at all.

    Raises:
        OutputError: `output.file`.
    """
    from sturdis.adapters import report_file

    report_file.write(path, text)


def resolve(target: TargetRequest | str | None = None) -> Aim:
    """Find what a verb is aimed at: the target named, else STURDIS_TARGET, else a running `up`.

    Raises:
        UsageError: `usage.address`, or `usage` where the options do not fit the address.
        TargetError: `target.none` or `target.ambiguous`.
    """
    from sturdis.adapters.local import running

    request = target if isinstance(target, TargetRequest) else TargetRequest(target)
    return aims.choose(request, os.environ, running.find())


def read_password(path: str) -> "PasswordFile":
    """Read the password in the file `path`; `-` is standard input, and a terminal is asked.

    Raises:
        AccessError: `access.unreadable`.
    """
    from sturdis.adapters import password_file

    return password_file.read(path)


def read_new_password(path: Path) -> str:
    """Read the password that `up` is to demand: one that can be typed.

    Raises:
        AccessError: `access.unreadable`.
    """
    from sturdis.adapters import password_file

    return password_file.read_printable(str(path))


def _unreadable(path: Path, why: str) -> SpecError:
    return SpecError(
        "spec.unreadable",
        f"the spec {path} cannot be read",
        why=why,
        do="name another with --spec FILE; --spec /dev/null gives the defaults",
    )
