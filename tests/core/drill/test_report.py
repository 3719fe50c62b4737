"""The report of a run: its numbers are the ledger's, in every form."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

from hypothesis import given

from sturdis.core.drill import report_facts, report_html, report_text
from sturdis.core.drill.events import Acknowledged, Done, InDoubt, Phase, Rejected
from sturdis.core.drill.ledger import Fate
from sturdis.core.drill.phases import Part
from sturdis.core.drill.report_facts import Told
from sturdis.core.drill.stored import Choices, Reason, StoredRun
from sturdis.core.report import Verdict
from tests.core import drills

NASTY = "</style><script>alert(1)</script> & \x1b[2J \x00 ]]>"

RUN = StoredRun(
    drill=NASTY,
    hypothesis="nothing is lost <b>",
    fault="kill",
    undo="started & served",
    seed=1,
    rounds=1,
    choices=Choices(server=NASTY),
    server="valkey 9.1.2",
    began=0,
    ended=2000,
    reasons=(Reason(Verdict.FAIL, NASTY), Reason(Verdict.PASS, "good")),
    figures={"kills": 1.0, "unseen": None},
    lock_duration=1000,
    stalled_interval=500,
)


def told(*parts) -> Told:
    left = drills.drill(*parts)
    return report_facts.told(RUN, left.events, left.survey, "/runs/x")


def one_lost_one_doubled() -> Told:
    return told(
        Phase(0, Part.STEADY, 0, 90),
        *drills.acknowledged("fine", 50), drills.started("fine", 60), drills.done("fine", 70),
        *drills.killed(1, 1000),
        Phase(1000, Part.FAULT, 1, 1010),
        *drills.acknowledged("lost", 950),
        *drills.acknowledged("twice", 150), drills.started("twice", 160),
        drills.started("twice", 1300, starts=2), drills.done("twice", 1310, starts=2),
        InDoubt(999, "x", "gone"), Rejected(1001, "y", "LOADING"),
    )  # fmt: skip


def test_each_lost_and_each_doubled_job_is_listed_with_its_cause():
    report = one_lost_one_doubled()
    assert [job.uuid for job in report.lost] == ["lost"]
    assert report.lost[0].what.startswith("fail: LOST before kill 1, although no fsync")
    assert [(job.uuid, job.what) for job in report.doubled] == [("twice", "1 by redelivery")]


def test_the_time_line_counts_in_steps_of_100_ms():
    report = one_lost_one_doubled()
    assert [one.acknowledged for one in report.buckets[:10]] == [1, 1, 0, 0, 0, 0, 0, 0, 0, 1]
    assert (report.buckets[9].in_doubt, report.buckets[10].refused) == (1, 1)
    assert report.buckets[13].done == 1


@given(drills.drills)
def test_all_that_happened_is_in_the_time_line_once(drill):
    report = report_facts.told(RUN, drill.events, drill.survey, "/runs/x")
    assert report.account
    assert sum(one.acknowledged for one in report.buckets) == len(report.account.entries)
    for name, kind in (("done", Done), ("refused", Rejected), ("in_doubt", InDoubt)):
        happened = {event for event in drill.events if isinstance(event, kind)}
        assert sum(getattr(one, name) for one in report.buckets) == len(happened)
    lost = {entry.uuid for entry in report.account.of(Fate.LOST)}
    assert {job.uuid for job in report.lost if "LOST" in job.what} == lost


class Strict(HTMLParser):
    """Takes a page apart as a browser does, and keeps what would fetch or run something."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.active: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        risky = {"src", "href", "srcset", "action", "data"}
        self.active += [
            f"{tag} {name}" for name, _ in attrs if name in risky or name.startswith("on")
        ]
        if tag in {"script", "link", "iframe", "img", "object", "base"}:
            self.active.append(tag)


def rows(page: str, identity: str) -> list[list[str]]:
    root = ET.fromstring(page.removeprefix("<!DOCTYPE html>"))  # noqa: S314  our own
    (table,) = (one for one in root.iter("table") if one.get("id") == identity)
    return [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")][1:]


def test_the_page_is_whole_fetches_nothing_and_runs_nothing():
    page = report_html.page(one_lost_one_doubled())
    ET.fromstring(page.removeprefix("<!DOCTYPE html>"))  # noqa: S314  our own
    strict = Strict()
    strict.feed(page)
    assert strict.active == []
    assert "svg" in strict.seen
    assert not re.findall(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", page)


def test_the_pages_numbers_are_the_ledgers():
    report = one_lost_one_doubled()
    assert report.account
    page = report_html.page(report)
    assert rows(page, "seconds") == [["0.0", "3", "1", "0", "1"], ["1.0", "0", "1", "1", "0"]]
    assert [row[0] for row in rows(page, "lost")] == ["lost"]
    assert [row[0] for row in rows(page, "doubled")] == ["twice"]
    assert rows(page, "figures") == [["kills", "1"], ["unseen", "not seen"]]
    assert "3 acknowledged" in page


def test_the_curve_has_a_point_for_each_step():
    report = one_lost_one_doubled()
    page = report_html.page(report)
    (points,) = re.findall(r'<polyline class="acknowledged" points="([^"]*)"', page)
    heights = [float(point.split(",")[1]) for point in points.split()][::2]
    assert len(heights) == len(report.buckets)
    busy = [height < max(heights) for height in heights]
    assert busy == [bool(one.acknowledged) for one in report.buckets]


def test_each_phase_is_shaded_and_named():
    page = report_html.page(one_lost_one_doubled())
    assert "<title>steady: 90 ms</title>" in page
    assert "<title>fault 1: 10 ms</title>" in page


def test_the_text_tells_the_same_and_how_to_run_it_again():
    report = one_lost_one_doubled()
    text = "\n".join(report_text.lines(report))
    assert "not done      lost" in text
    assert "doubled       twice" in text
    assert "again         sturdis drill run" in text
    values = report_text.values(report)
    assert values["buckets"][9]["in_doubt"] == 1  # type: ignore[index]


def test_a_run_without_load_is_reported_too():
    events = (Phase(5, Part.FAULT, 1, 9),)
    report = report_facts.told(RUN, events, None, "/runs/x")
    assert report.account is None
    assert any("kills 1, unseen not seen" in line for line in report_text.lines(report))
    assert "<h2>Lost or not done: 0</h2>" in report_html.page(report)


def test_an_acknowledgement_that_was_written_twice_counts_once():
    job = drills.acknowledged("a", 50)
    report = told(*job, Acknowledged(80, "a", "1"), drills.done("a"))
    assert sum(one.acknowledged for one in report.buckets) == 1
