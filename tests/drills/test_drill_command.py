"""`sturdis drill` as its users run it: runs, what it refuses, and that it mends what it broke."""

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from sturdis.adapters.drill import ledger_log, run_store, undo_journal, undo_steps
from sturdis.core.drill import undo
from sturdis.core.drill.events import Phase
from sturdis.core.drill.phases import Part
from sturdis.core.drill.undo import EndProcess, ResumeProcess
from tests import tiers
from tests.integration.running import (
    STURDIS,
    error_code,
    running,
    sturdis,
    sturdis_of_an_ordinary_user,
)
from tests.integration.servers import wait_until

pytestmark = pytest.mark.tier("embedded")

SHORT = ("--seed", "1", "--rounds", "1", "--server", "embedded")

QUICK = """\
name: quick
hypothesis: the server can be killed
fault: {kind: kill}
undo: it is started again
needs: [kill, restart]
load: null
expect: {figures: {kills: {at_least: 1}}}
rounds: 1
"""

HANGS = """\
name: hangs
hypothesis: the server hangs for a minute
fault: {kind: stop}
undo: it goes on
needs: [kill]
load: null
expect: {figures: {unmet: {equals: 0}}}
observe: 60
rounds: 1
"""


def drill(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return sturdis("drill", *arguments, **options)


def written(folder: Path, text: str) -> str:
    path = folder / "mine.yaml"
    path.write_text(text)
    return str(path)


def runs() -> list[Path]:
    return sorted(run_store.home().glob("*Z-*"))


def test_a_drill_passes_is_kept_and_reported_in_every_form(tmp_path):
    modules = [] if tiers.missing("node") else ["--modules", str(tiers.ROOT / "examples/bullmq")]
    ran = drill("run", "kill-9", *SHORT, *modules)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.startswith("pass    kill-9            valkey 9.1.2, seed 1, 1 round, ")
    (folder,) = runs()
    assert folder.name.endswith("Z-kill-9-1")
    assert not (folder / run_store.RIG).exists()  # what passed needs no data

    text = drill("report").stdout
    assert "pass          all " in text
    assert "again         sturdis drill run kill-9 --server embedded" in text
    told = json.loads(drill("report", folder.name[:15], "--json").stdout)
    events = ledger_log.read(folder).events
    assert told["verdict"] == "pass"
    assert sum(one["acknowledged"] for one in told["buckets"]) == told["figures"]["acknowledged"]
    parts = [event.part.value for event in events if isinstance(event, Phase)]
    assert parts == ["steady", "load", "fault", "undo", "recovery", "settle", "survey"]
    page = tmp_path / "report.html"
    assert drill("report", str(folder), "--html", str(page)).stdout == f"wrote {page}\n"
    assert page.read_text().startswith("<!DOCTYPE html>")
    for log in folder.glob(f"*{ledger_log.SUFFIX}"):
        log.unlink()
    assert error_code(drill("report")) == "drill.log_damaged"  # a pass beside an empty time line


def test_several_drills_end_with_a_table_and_the_worst_decides(tmp_path):
    fails = QUICK.replace("at_least: 1}", "at_least: 99}")
    (tmp_path / "fails.yaml").write_text(fails.replace("name: quick", "name: fails"))
    lacks = QUICK.replace("[kill, restart]", "[node]").replace("name: quick", "name: lacks")
    (tmp_path / "lacks.yaml").write_text(lacks)
    files = [
        written(tmp_path, QUICK),
        *(str(tmp_path / f"{one}.yaml") for one in ("fails", "lacks")),
    ]
    ran = drill("run", *files, *SHORT)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "kills 1; expected at least 99" in ran.stdout
    assert "node: this kind of target never has it" in ran.stdout
    assert ran.stdout.endswith("3 drills: 1 pass, 1 unknown, 1 fail\n")
    rigs = [path.name for path in runs() if (path / run_store.RIG).exists()]
    assert len(rigs) == 1  # of the one that failed: nothing was made for the one that lacks
    assert "fails" in rigs[0]


def test_unknown_alone_gives_its_own_exit_status_also_as_json(tmp_path):
    ran = drill("run", written(tmp_path, QUICK.replace("[kill, restart]", "[node]")), "--json")
    assert ran.returncode == 3
    (told,) = json.loads(ran.stdout)["runs"]
    assert told["verdict"] == "unknown"
    assert told["again"].startswith("sturdis drill run ")


def test_without_a_steady_state_nothing_is_broken(tmp_path):
    never = "load: {rate: 1}\nsteady: {acknowledged: 1000000, within: 0.1}\n"
    text = QUICK.replace("load: null\n", never)
    ran = drill("run", written(tmp_path, text), "--seed", "1", "--server", "embedded")
    assert ran.returncode == 3, ran.stdout + ran.stderr
    assert "no steady state within 0.1 s: " in ran.stdout
    (folder,) = runs()
    parts = [one.part for one in ledger_log.read(folder).events if isinstance(one, Phase)]
    assert parts == [Part.STEADY]


def test_a_drill_after_which_too_few_adds_come_fails(tmp_path):
    rare = "load: {rate: 20}\nsteady: {again: 1000}\nserves_again_within: 1\n"
    text = QUICK.replace("load: null\n", rare)
    ran = drill("run", written(tmp_path, text), *SHORT)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "of 1000 adds were acknowledged within 1 s after fault 1 was undone" in ran.stdout


def begun(folder: Path) -> tuple[subprocess.Popen[str], Path]:
    """Start a drill that leaves its server hanging, and wait until it hangs."""
    command = [*STURDIS, "drill", "run", written(folder, HANGS), *SHORT]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )

    def hangs() -> bool:
        assert process.poll() is None, process.communicate()
        told = [event for run in runs() for event in ledger_log.read(run).events]
        return any(isinstance(event, Phase) and event.part is Part.FAULT for event in told)

    wait_until(hangs, "the drill's server hangs", seconds=60)
    return process, runs()[-1]


def servers(run: Path) -> list[EndProcess | ResumeProcess]:
    """Give what the journal says is still running, or stopped."""
    left = undo.still_open((run / undo_journal.NAME).read_bytes())
    return [one.step for one in left if isinstance(one.step, EndProcess | ResumeProcess)]


def lives(step: EndProcess | ResumeProcess) -> bool:
    return undo_steps.started(step.pid) == step.started


@pytest.mark.parametrize(
    ("numbers", "statuses"),
    [
        ((signal.SIGINT,), {130}),
        ((signal.SIGTERM,), {130}),
        # the last may come when Python hears none any more
        ((signal.SIGINT, signal.SIGINT, signal.SIGINT), {130, -signal.SIGINT}),
    ],
    ids=["ctrl-c", "sigterm", "ctrl-c three times"],
)
def test_what_was_broken_is_mended_when_the_drill_is_told_to_end(numbers, statuses, tmp_path):
    process, run = begun(tmp_path)
    left = servers(run)
    assert left
    assert all(map(lives, left))
    for number in numbers:
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)  # each is a signal of its own, while it undoes
    printed = process.communicate(timeout=60)
    assert process.returncode in statuses, printed
    assert not any(map(lives, left))
    assert servers(run) == []
    assert "it was interrupted" in drill("report").stdout
    assert drill("undo").stdout == "nothing is left to be undone\n"


def test_a_drill_that_is_killed_itself_is_undone_by_command(tmp_path):
    process, run = begun(tmp_path)
    left = servers(run)
    second = drill("run", "kill-9", *SHORT)
    assert (error_code(second), second.returncode) == ("drill.running", 16)
    assert error_code(drill("undo")) == "drill.running"
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert any(map(lives, left))  # it is stopped, and heard nothing of our end
    refused = drill("run", "kill-9", *SHORT)
    assert (error_code(refused), refused.returncode) == ("drill.left_behind", 16)
    undone = drill("undo", "--json")
    assert undone.returncode == 0, undone.stdout
    assert {"end process", "resume process"} <= {
        one["step"] for one in json.loads(undone.stdout)["undone"]
    }
    assert not any(map(lives, left))
    assert drill("undo").stdout == "nothing is left to be undone\n"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["kil-9"], "drill.unknown", 'did you mean "kill-9"?'),
        (["none.yaml"], "drill.unreadable", "No such file"),
        (["kill-9", "--seed", "-1"], "usage", "from 0 to"),
        (["kill-9", "--seed", "x"], "usage", "not a valid integer"),
        (["kill-9", "--rounds", "0"], "usage", "from 1 to 10000"),
        ([], "usage", "no drill is named"),
        (["--all", "kill-9"], "usage", "--all is given, and drills are named"),
        (["kill-9", "--target", "up"], "target.none", ""),
        (["kill-9", "--target", "nonsense"], "usage.address", ""),
        (["kill-9", "--target", "redis://127.0.0.1:1"], "drill.not_ours", "no `up` of yours"),
        (["kill-9", "--target", "up", "--server", "embedded"], "usage", "--target local alone"),
        (["kill-9", "--target", "up", "--no-guard"], "usage", "--target local alone"),
        (["kill-9", "--server", "/no/such/server"], "server.missing", ""),
        (["kill-9", "--configuration", "sed"], "usage", 'did you mean "seed"?'),
        pytest.param(
            ["kill-9", "--modules", "."], "drill.load_failed", "no bullmq in",
            marks=pytest.mark.tier("node"),
        ),
        (["kill-9", "-n", "redis"], "usage", "-n is without --context"),
        (["kill-9", "--hooks", "hooks.yaml"], "usage", "--hooks is without --context"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_refused_and_nothing_is_touched(arguments, code, says):
    refused = drill("run", *arguments)
    assert error_code(refused) == code, refused.stderr
    assert says in refused.stderr
    assert runs() == []


def test_the_line_of_what_is_wrong_in_a_file_is_told(tmp_path):
    refused = drill("run", written(tmp_path, QUICK.replace("rounds", "ronds")))
    assert error_code(refused) == "drill.invalid"
    assert 'line 8: unknown key "ronds"; did you mean "rounds"?' in refused.stderr


def test_an_up_that_is_not_marked_is_refused_and_lives(tmp_path):
    with running("--ephemeral", "--server", "embedded") as up:
        before = up.server_pid
        refused = drill("run", "kill-9", "--target", up.url)
        assert error_code(refused) == "drill.not_marked"
        assert "sturdis up --drills" in refused.stderr
        assert up.server_pid == before


def test_list_says_what_is_lacking_here(tmp_path):
    bare = {**os.environ, "PATH": str(tmp_path)}
    told = json.loads(drill("list", "--json", "--server", "embedded", env=bare).stdout)["drills"]
    by_name = {one["name"]: one for one in told}
    assert by_name["kill-9"]["lacking"] == []
    assert any("cc" in why for why in by_name["power-cut"]["lacking"])
    assert "power-cut" in drill("list", "--server", "embedded").stdout


def test_a_user_without_roots_powers_lacks_a_disk_of_his_own():
    answer = sturdis_of_an_ordinary_user("drill", "list", "--json", "--server", "embedded")
    by_name = {one["name"]: one["lacking"] for one in json.loads(answer.stdout)["drills"]}
    assert by_name["disk-full"] == ["small disk: only root may mount a disk"]
    assert by_name["kill-9"] == []


def test_load_by_node_needs_a_node(tmp_path):
    bare = {**os.environ, "PATH": str(tmp_path)}
    refused = drill("run", "kill-9", "--modules", str(tiers.ROOT / "examples/bullmq"), env=bare)
    assert error_code(refused) == "drill.load_failed"
    assert "no node on PATH" in refused.stderr
    assert runs() == []


def test_without_a_compiler_a_drill_that_needs_one_is_unknown(tmp_path):
    bare = {**os.environ, "PATH": str(tmp_path)}
    ran = drill("run", "power-cut", *SHORT, env=bare)
    assert ran.returncode == 3, ran.stderr
    assert "preload" in ran.stdout


@pytest.mark.parametrize("name", [[], ["2026"]])
def test_there_is_no_run_to_report(name):
    refused = drill("report", *name)
    assert (error_code(refused), refused.returncode) == ("drill.no_run", 16)
