from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from sturdis.core import junit
from sturdis.core.errors import TargetError
from sturdis.core.report import Finding, Report, Verdict

TEXT = st.text()
FINDINGS = st.lists(
    st.builds(
        Finding,
        check=TEXT,
        promise=TEXT,
        seen=TEXT,
        verdict=st.sampled_from(Verdict),
        why=TEXT,
        do=TEXT,
    ),
    min_size=1,
)

SUITE = {"name", "tests", "failures", "errors", "skipped"}
CASE_CHILDREN = ("skipped", "error", "failure", "system-out")
"""In the order of the schema."""


def suite_of(text: str) -> ET.Element:
    """Read a file as CI does, held against what the schema allows of it."""
    root = ET.fromstring(text.encode())  # noqa: S314  our own
    assert (root.tag, len(root)) == ("testsuites", 1)
    suite = root[0]
    assert (suite.tag, set(suite.attrib)) == ("testsuite", SUITE)
    tags = [child.tag for child in suite]
    assert tags == sorted(tags), "properties before testcases"
    cases = suite.findall("testcase")
    for case in cases:
        assert set(case.attrib) == {"classname", "name"}
        places = [CASE_CHILDREN.index(child.tag) for child in case]
        assert places == sorted(set(places))
    counted = {
        "tests": len(cases),
        "failures": len(suite.findall("testcase/failure")),
        "errors": len(suite.findall("testcase/error")),
        "skipped": len(suite.findall("testcase/skipped")),
    }
    assert {name: int(suite.attrib[name]) for name in counted} == counted
    return suite


@given(FINDINGS)
def test_any_report_is_well_formed_and_every_check_has_its_case(findings):
    suite = suite_of(junit.of_report(Report("redis://h:1", findings)))
    wanted = {
        Verdict.FAIL: ["failure"],
        Verdict.UNKNOWN: ["skipped"],
        Verdict.NOT_APPLICABLE: ["skipped"],
    }
    for finding, case in zip(findings, suite.findall("testcase"), strict=True):
        tags = [child.tag for child in case]
        assert tags == [*wanted.get(finding.verdict, []), "system-out"]


def finding(verdict: Verdict) -> Finding:
    return Finding(
        "memory.policy", "nothing is evicted", "seen & <that>", verdict, "jobs", "set it"
    )


def test_each_verdict_says_what_it_is():
    suite = suite_of(junit.of_report(Report("unix:///r?db=1", [finding(one) for one in Verdict])))
    told = {case.findtext("system-out", "").partition(":")[0]: case for case in suite[1:]}
    assert set(told) == {"pass", "warn", "unknown", "fail", "n/a"}
    (skipped,) = told["unknown"].iter("skipped")
    (failure,) = told["fail"].iter("failure")
    assert skipped.attrib == {"message": "seen & <that>"}
    assert failure.attrib == {"type": "fail", "message": "seen & <that>"}
    assert "do: set it" in (told["fail"].findtext("failure") or "")
    assert "do: set it" in told["warn"].findtext("system-out", "")
    properties = {one.attrib["name"]: one.attrib["value"] for one in suite.iter("property")}
    assert properties == {"target": "unix:///r?db=1", "verdict": "fail"}


def test_what_xml_cannot_hold_is_replaced():
    seen = Finding("ping", "p", "a\x00b\x1b[31m\ud800\uffff\tc\nd", Verdict.FAIL, "w", "d")
    suite = suite_of(junit.of_report(Report("redis://h", [seen])))
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.attrib["message"] == "a\ufffdb\ufffd[31m\ufffd\ufffd\tc\nd"


@given(TEXT, TEXT, TEXT)
def test_an_error_is_a_case_of_its_own(what, why, do):
    suite = suite_of(junit.of_error(TargetError("target.silent", what, why=why, do=do)))
    error = suite.find("testcase/error")
    assert error is not None
    assert error.attrib["type"] == "target.silent"
