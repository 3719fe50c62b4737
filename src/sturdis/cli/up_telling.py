"""What `sturdis up` prints while it runs: for people, or one JSON object a line."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict

import click

from sturdis.cli.output import Output, is_terminal, labelled, paint
from sturdis.core import notices, units
from sturdis.core.aof.guard import Mended
from sturdis.core.bullmq import contract
from sturdis.core.local import Serving
from sturdis.core.notices import Notice

Tell = Callable[[Notice], None]

SIGKILL = 9

BAR_STEPS = 100
"""Steps of the progress bar: per cent."""

TOLD_STEP = 25
"""Per cent after which loading is told again where no terminal is."""


def for_programs(output: Output, *, beside_command: bool) -> Tell:
    """Print each notice as JSON; beside a command, whose standard output is its own, to stderr."""

    def tell(notice: Notice) -> None:
        output.value(_values(notice), err=beside_command)

    return tell


def for_people(output: Output, *, beside_command: bool) -> Tell:
    """Print the banner when the server serves, and all else as a line to stderr."""
    progress = _Progress()

    def tell(notice: Notice) -> None:
        match notice:
            case notices.Loading(loaded=loaded, total=total):
                progress.show(loaded, total)
                return
            case notices.Ready(serving=serving) if not beside_command:
                text, to_stderr = _banner(serving), False
            case notices.Ready(serving=serving):
                text, to_stderr = f"sturdis: {serving.url}  {serving.server}", True
            case Mended():
                text, to_stderr = "\n".join(f"sturdis: {line}" for line in _mended(notice)), True
            case _:
                text, to_stderr = f"sturdis: {_sentence(notice)}", True
        progress.done()
        output.text(text, err=to_stderr)

    return tell


class _Progress:
    """How much of its data a server has read: a bar on a terminal, else a line now and then."""

    def __init__(self) -> None:
        self._bar: click._termui_impl.ProgressBar[int] | None = None
        self._told = 0

    def show(self, loaded: int, total: int) -> None:
        share = min(BAR_STEPS * loaded // max(total, 1), BAR_STEPS)
        if not is_terminal(sys.stderr):
            if share >= self._told + TOLD_STEP:
                self._told = share
                size = units.human_bytes(total)
                click.echo(f"sturdis: loading: {share} % of {size}", err=True)
            return
        if self._bar is None:
            label = f"loading {units.human_bytes(total)}"
            self._bar = click.progressbar(length=BAR_STEPS, label=label, file=sys.stderr)
            self._bar.__enter__()
        self._bar.update(share - self._bar.pos)

    def done(self) -> None:
        self._told = 0
        if self._bar is not None:
            self._bar.update(BAR_STEPS - self._bar.pos)
            self._bar.__exit__(None, None, None)
            self._bar = None


def _sentence(notice: Notice) -> str:
    match notice:
        case notices.Ended(status=status, wait=wait, last_words=last_words):
            how = f"by signal {-status}" if status < 0 else f"with status {status}"
            soon = f"again in {wait:.0f} s" if wait else "again now"
            heard = [] if status == -SIGKILL else last_words.splitlines()  # which nobody hears
            said = "".join(f"\n         {line}" for line in heard)
            return (
                f"{paint('the server ended', 'red', sys.stderr)} {how}; it is started {soon}{said}"
            )
        case notices.ServesAgain(seconds=seconds):
            return f"the server serves {paint('again', 'green', sys.stderr)}, after {seconds:.2f} s"
        case notices.Silent(seconds=seconds):
            return f"the server has not answered for {seconds:.0f} s, and is replaced"
        case notices.Overdue(seconds=seconds):
            return f"the server was not ready within {seconds:.0f} s, and is replaced"
        case notices.Answers(reply="+PONG"):
            return "the server answers PONG again"
        case notices.Answers(reply=reply):
            return f"the server answers PING with {reply.removeprefix('-')}"
        case _:
            raise TypeError(f"not told in a sentence: {notice}")


def _mended(mended: Mended) -> Iterator[str]:
    if cut := mended.cut:
        yield f"cut {cut.size} bytes off {cut.file} at byte {cut.offset}: {cut.tail.value}"
        yield f"they are kept in {mended.kept}"
    for name in mended.removed:
        yield f"removed {name}, which no server uses any more"


EVENTS: Mapping[type[Notice], str] = {
    notices.Loading: "loading",
    notices.Answers: "reply",
    notices.Silent: "silent",
    notices.Overdue: "overdue",
    notices.Ended: "ended",
    notices.ServesAgain: "serving",
}
"""Notice to the name of its event in JSON; its fields are the rest."""


def _values(notice: Notice) -> Mapping[str, object]:
    if isinstance(notice, notices.Ready):
        return {"event": "ready"} | _serving(notice.serving)
    if isinstance(notice, Mended):
        cut = notice.cut and asdict(notice.cut) | {"tail": notice.cut.tail.name.lower()}
        return {"event": "mended", "cut": cut, "kept": notice.kept, "removed": notice.removed}
    return {"event": EVENTS[type(notice)]} | asdict(notice)


def _serving(serving: Serving) -> dict[str, object]:
    return {
        "url": serving.url,
        "host": serving.host,
        "port": serving.port,
        "metrics": serving.metrics_url,
        "data": serving.data,
        "ephemeral": serving.ephemeral,
        "server": serving.server,
        "server_path": serving.server_path,
        "chosen": serving.chosen,
        "tested": serving.tested,
        "drills": serving.drills,
        "note": serving.note,
    }


def _banner(serving: Serving) -> str:
    untested = "" if serving.tested else ", a release that Sturdis is not tested with"
    lasting = ", removed at the end" if serving.ephemeral else ""
    locked = ", with a password" if serving.password_required else ""
    facts = [
        ("server", f"{serving.server} ({serving.chosen}{untested})"),
        ("", serving.server_path),
        ("data", f"{serving.data}{lasting}"),
        ("redis", f"{serving.url}  {paint('PONG', 'green')}{locked}"),
        ("metrics", f"{serving.metrics_url}  {paint('redis_up 1', 'green')}"),
    ]
    if serving.drills:
        facts.append(("drills", "may break it: sturdis drill run kill-9 --target up"))
    if serving.note:
        facts.append(("note", serving.note))
    at = serving.host, serving.port
    return "\n".join(
        (
            *(f"{label:<9}{text}" for label, text in facts),
            "",
            paint("BullMQ, TypeScript (bullmq 6, ioredis 6):", "cyan"),
            "",
            _indented(contract.typescript(*at, password=serving.password_required)),
            paint("BullMQ, Python (bullmq 3):", "cyan"),
            "",
            _indented(contract.python(*at, password=serving.password_required)),
            labelled("next", " sturdis verify    (in another terminal); Ctrl-C here ends it"),
        )
    )


def _indented(code: str) -> str:
    return "".join(f"    {line}".rstrip() + "\n" for line in code.splitlines())
