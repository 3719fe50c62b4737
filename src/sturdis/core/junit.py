"""A report as JUnit XML, which CI systems show: a suite, with a test case for each check.

The elements and attributes are those of Jenkins' schema (junit-plugin), in its order. A failing
check is a failure, one that is unknown or n/a is skipped, and a warning stands in the case's
output: JUnit has no word for it.
"""

import re
from collections import Counter
from xml.etree import ElementTree as ET

from sturdis.core.errors import SturdisError
from sturdis.core.report import Finding, Report, Verdict

SUITE = "sturdis verify"
CLASS = "sturdis.verify"

NOT_JUDGED = (Verdict.UNKNOWN, Verdict.NOT_APPLICABLE)

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, however it is written: section 2.2, Char."""


def of_report(report: Report) -> str:
    """Write a report."""
    tally = Counter(finding.verdict for finding in report.findings)
    skipped = sum(tally[verdict] for verdict in NOT_JUDGED)
    suite = _suite(len(report.findings), tally[Verdict.FAIL], 0, skipped)
    properties = _below(suite, "properties")
    _below(properties, "property", name="target", value=report.target)
    _below(properties, "property", name="verdict", value=report.verdict.value)
    for finding in report.findings:
        _case(suite, finding)
    return _text(suite)


def of_error(error: SturdisError) -> str:
    """Write that nothing could be checked, so that an older file is not taken for this run's."""
    suite = _suite(1, 0, 1, 0)
    case = _below(suite, "testcase", classname=CLASS, name="target")
    told = _below(case, "error", type=error.code, message=error.what)
    told.text = _valid(f"why: {error.why}\ndo: {error.do}")
    return _text(suite)


def _suite(tests: int, failures: int, errors: int, skipped: int) -> ET.Element:
    counts = {"tests": tests, "failures": failures, "errors": errors, "skipped": skipped}
    return ET.Element("testsuite", {"name": SUITE} | {name: str(n) for name, n in counts.items()})


def _case(suite: ET.Element, finding: Finding) -> None:
    case = _below(suite, "testcase", classname=CLASS, name=finding.check)
    told = f"{finding.promise}\nseen: {finding.seen}"
    if finding.verdict is not Verdict.PASS:
        told += f"\nwhy: {finding.why}\ndo: {finding.do}"
    if finding.verdict is Verdict.FAIL:
        failure = _below(case, "failure", type="fail", message=finding.seen)
        failure.text = _valid(told)
    elif finding.verdict in NOT_JUDGED:
        _below(case, "skipped", message=finding.seen)
    _below(case, "system-out").text = _valid(f"{finding.verdict.value}: {told}")


def _below(parent: ET.Element, tag: str, **attributes: str) -> ET.Element:
    valid = {name: _valid(value) for name, value in attributes.items()}
    return ET.SubElement(parent, tag, valid)


def _valid(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def _text(suite: ET.Element) -> str:
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'
