"""The report of a run as one HTML file: no script, nothing fetched, the time line as SVG.

The page is well-formed XML too, so that it can be held strictly against its ledger.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from sturdis.core.drill import record, report_facts, report_svg
from sturdis.core.drill.report_facts import NotedJob, Told
from sturdis.core.drill.report_text import at, figure

STYLE = (
    """
:root { color-scheme: light dark; --ink: #1c2330; --paper: #ffffff; --dim: #5b6577;
  --line: #d6dbe4; --one: #1668c4; --two: #17713f; --bad: #c62f2f; --doubt: #8f5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --paper: #14181f; --dim: #98a2b3;
  --line: #333b49; --one: #6cb0ff; --two: #5fd08f; --bad: #ff7d7d; --doubt: #ffc15c; } }
body { color: var(--ink); background: var(--paper); font: 15px/1.5 system-ui, sans-serif;
  max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.pass { color: var(--two); } .fail { color: var(--bad); } .unknown { color: var(--doubt); }
table { border-collapse: collapse; } td, th { border-bottom: 1px solid var(--line);
  padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top; }
.facts { overflow-wrap: anywhere; } .facts th { white-space: nowrap; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
code, pre { font: 13px/1.5 ui-monospace, monospace; } pre { white-space: pre-wrap; }
svg { width: 100%; height: auto; } svg text { fill: var(--dim); font: 11px system-ui, sans-serif; }
.scroll { overflow-x: auto; } .scroll svg { min-width: 48rem; } .dim { color: var(--dim); }
"""
    + report_svg.STYLE
)


def page(told: Told) -> str:
    """Give the report as an HTML file."""
    title = f"{told.run.drill}: {told.run.verdict.value}"
    return "\n".join([
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8"/>',
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
        f"<title>{_text(title)}</title><style>{STYLE}</style></head><body>",
        *_body(told),
        "</body></html>\n",
    ])  # fmt: skip


def _body(told: Told) -> Iterator[str]:
    run = told.run
    verdict = run.verdict.value
    yield f'<h1>{_text(run.drill)}: <span class="{verdict}">{verdict}</span></h1>'
    yield f"<p>Believed: {_text(' '.join(run.hypothesis.split()))}</p>"
    yield "<ul>"
    for reason in run.reasons:
        word = reason.verdict.value
        yield f'<li><b class="{_text(word)}">{_text(word)}</b> {_text(reason.what)}</li>'
    yield "</ul>"
    yield from _facts(told)
    if told.phases:
        yield "<h2>Time line</h2>"
        yield f'<div class="scroll">{report_svg.time_line(told)}</div>'
    if told.account:
        yield "<h2>Jobs</h2>"
        yield f"<pre>{_text(chr(10).join(record.lines(told.account, told.timing)))}</pre>"
    yield from _jobs("Lost or not done", "lost", told.lost)
    yield from _jobs("Doubled", "doubled", told.doubled)
    yield from _numbers(told)


def _facts(told: Told) -> Iterator[str]:
    run = told.run
    rows = (
        ("began", at(run.began)),
        ("took", f"{(run.ended - run.began) / 1000:.1f} s"),
        ("server", run.server or "not known"),
        ("target", run.choices.target),
        ("fault", run.fault),
        ("mended by", run.undo),
        ("seed, rounds", f"{run.seed}, {run.rounds}"),
        ("log", told.folder),
    )
    yield '<table class="facts">'
    for name, value in rows:
        yield f"<tr><th>{name}</th><td>{_text(value)}</td></tr>"
    yield "</table>"
    yield f"<p>Run it again: <code>{_text(run.command)}</code></p>"


def _jobs(title: str, identity: str, jobs: Sequence[NotedJob]) -> Iterator[str]:
    yield f"<h2>{title}: {len(jobs)}</h2>"
    if jobs:
        rows = ((job.uuid, at(job.at), job.what) for job in jobs)
        yield from _table(identity, ("job", "when", "what"), rows)


def _numbers(told: Told) -> Iterator[str]:
    figures = ((name, figure(value)) for name, value in told.run.figures.items())
    yield "<h2>Figures</h2>"
    yield from _table("figures", ("figure", "value"), figures)
    if told.account is None:
        return
    yield "<details><summary>The time line in numbers</summary>"
    names = tuple(report_facts.COUNTED.values())
    seconds = (
        (f"{one.at / 1000:.1f}", *(str(getattr(one, name)) for name in names))
        for one in report_facts.per_second(told)
    )
    yield from _table("seconds", ("second", *(name.replace("_", " ") for name in names)), seconds)
    yield "</details>"


def _table(identity: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f'<div class="scroll"><table id="{identity}"><thead><tr>'
    yield "".join(f"<th>{_text(cell)}</th>" for cell in head)
    yield "</tr></thead><tbody>"
    for row in rows:
        yield "<tr>" + "".join(_cell(cell) for cell in row) + "</tr>"
    yield "</tbody></table></div>"


def _cell(cell: str) -> str:
    number = cell.replace(".", "", 1).isdigit()
    return f'<td class="n">{cell}</td>' if number else f"<td>{_text(cell)}</td>"


def _text(text: str) -> str:
    """Write text so that no browser and no parser takes any of it for markup."""
    return escape(
        "".join(char if char.isprintable() or char == "\n" else "\ufffd" for char in text)
    )
