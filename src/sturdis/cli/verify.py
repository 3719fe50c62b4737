"""`sturdis verify`: check every promise against what runs."""

import functools
from pathlib import Path

import click

from sturdis import wiring
from sturdis.cli import agreeing
from sturdis.cli.options import json_option, spec_option
from sturdis.cli.output import Output, labelled, paint
from sturdis.cli.reach import Reach, SpecChoice, Where, cluster_options, reach_options
from sturdis.core.cluster_aim import ClusterRequest
from sturdis.core.errors import OutputError, SturdisError
from sturdis.core.report import Finding, Report, Verdict
from sturdis.core.restarting import RestartPlan

COLOURS = {
    Verdict.PASS: "green",
    Verdict.WARN: "yellow",
    Verdict.UNKNOWN: "yellow",
    Verdict.FAIL: "red",
    Verdict.NOT_APPLICABLE: "white",
}


@click.command
@spec_option("that of the running up, else as for up")
@click.option(
    "--metrics",
    "metrics_url",
    metavar="URL",
    help="Where the metrics are; default: where the running up serves them.",
)
@click.option("--read-only", is_flag=True, help="Write nothing; what that leaves open is unknown.")
@click.option(
    "--restart",
    is_flag=True,
    help="Restart the running up's server, or delete the pod, and find what was in it.",
)
@click.option("--yes", is_flag=True, help="Agree to the restart without being asked.")
@click.option("--junit", metavar="FILE", help="Write the report as JUnit XML as well.")
@cluster_options
@reach_options
@json_option
@click.argument("target", required=False)
@click.pass_obj
def command(
    output: Output,
    spec_file: Path | None,
    environment: str | None,
    metrics_url: str | None,
    read_only: bool,
    restart: bool,
    yes: bool,
    junit: str | None,
    target: str | None,
    reach: Reach,
    where: Where,
) -> int:
    """Check every promise against what runs.

    TARGET is redis://[USER@]HOST[:PORT][/DB], rediss://… over TLS, or unix://[USER@]/PATH[?db=DB];
    without it the running `sturdis up` is found. With --context it is the pod of the spec in that
    cluster. A check writes only below sturdis:verify, and removes it.

    Exit status: 0 when all hold, 1 when one fails, 3 when one could not be determined.
    """
    spec = wiring.load_spec(spec_file, environment) if spec_file or environment else None
    try:
        choice = SpecChoice(spec_file, environment)
        request = reach.anywhere(output, target, where, choice, naming="sturdis verify")
        again = request.verify if isinstance(request, ClusterRequest) else "sturdis verify"
        agree = functools.partial(_agree, output, yes, again) if restart else None
        report = wiring.verify(
            request, spec=spec, metrics_url=metrics_url, read_only=read_only, agree=agree
        )
    except SturdisError as error:
        _write_error(output, junit, error)
        raise
    _tell(output, report, junit)
    return report.exit_status


def _tell(output: Output, report: Report, junit: str | None) -> None:
    if output.json:
        output.value(_values(report))
    else:
        output.text(_text(report))
    if junit is not None:
        from sturdis.core import junit as junit_xml  # noqa: PLC0415  XML for those who want it

        wiring.write_report(junit, junit_xml.of_report(report))


def _write_error(output: Output, junit: str | None, error: SturdisError) -> None:
    if junit is None:
        return
    from sturdis.core import junit as junit_xml  # noqa: PLC0415  XML for those who want it

    try:
        wiring.write_report(junit, junit_xml.of_error(error))
    except OutputError as second:
        output.warning(f"{second.what}: {second.why}")


def _agree(output: Output, yes: bool, again: str, plan: RestartPlan) -> None:
    """Show the plan; go on when it is agreed to.

    Raises:
        UsageError: `usage.not_agreed`.
    """
    output.text(str(plan), err=True)
    do = f"{again} --restart --yes"
    agreeing.ask("Restart it?", yes=yes, refused="the server was not restarted", do=do)


def _values(report: Report) -> dict[str, object]:
    return {
        "target": report.target,
        "verdict": report.verdict.value,
        "checks": [
            {
                "id": finding.check,
                "promise": finding.promise,
                "seen": finding.seen,
                "verdict": finding.verdict.value,
                "why": finding.why,
                "do": finding.do,
            }
            for finding in report.findings
        ],
    }


def _text(report: Report) -> str:
    blocks = "\n".join(map(_block, report.findings))
    return f"{report.target}\n\n{blocks}\n\n{report.counts}"


def _block(finding: Finding) -> str:
    verdict = paint(f"{finding.verdict.value:<8}", COLOURS[finding.verdict])
    lines = [f"{verdict}{finding.check:<24}{finding.promise}", _below("seen:", finding.seen)]
    if finding.verdict is not Verdict.PASS:
        lines += [_below("why:", finding.why), _below("do:", finding.do)]
    return "\n".join(lines)


def _below(label: str, text: str) -> str:
    return labelled(f"{label:<6}", text, indent=" " * 32)
