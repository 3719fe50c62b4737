"""`verify --junit FILE`: the file, the verdict, and what becomes of it when something fails."""

import json
import os
import stat
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.integration.running import error_code, running, sturdis, sturdis_of_an_ordinary_user
from tests.integration.servers import start_server

pytestmark = pytest.mark.tier("embedded")

NOWHERE = "redis://127.0.0.1:1"


def cases(path) -> dict[str, list[str]]:
    root = ET.parse(path).getroot()  # noqa: S314  our own
    return {case.attrib["name"]: [child.tag for child in case] for case in root.iter("testcase")}


def test_the_file_holds_every_check_beside_the_json(tmp_path):
    path = tmp_path / "v.xml"
    with start_server(tmp_path / "server") as server:
        answer = sturdis("verify", f"redis://127.0.0.1:{server.port}", "--json", "--junit", path)
    report = json.loads(answer.stdout)
    assert (answer.returncode, answer.stderr) == (1, "")
    tag = {"fail": ["failure"], "unknown": ["skipped"], "n/a": ["skipped"]}
    assert cases(path) == {
        one["id"]: [*tag.get(one["verdict"], []), "system-out"] for one in report["checks"]
    }
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask
    assert sorted(one.name for one in tmp_path.iterdir()) == ["server", "v.xml"]


def test_an_older_file_is_replaced_when_nothing_could_be_checked(tmp_path):
    path = tmp_path / "v.xml"
    path.write_text("<older/>")
    link = tmp_path / "link.xml"
    link.symlink_to(path)
    answer = sturdis("verify", NOWHERE, "--junit", link)
    assert (answer.returncode, error_code(answer)) == (13, "target.unreachable")
    assert cases(path) == {"target": ["error"]}
    assert link.is_symlink()


@pytest.mark.parametrize("name", ["missing/v.xml", "", ".", "x\n" + "y" * 300])
def test_a_file_that_cannot_be_written_leaves_the_verdict(tmp_path, name):
    with running("--ephemeral", "--server", "embedded"):
        answer = sturdis("verify", "--junit", name, cwd=tmp_path)
        assert (answer.returncode, error_code(answer)) == (15, "output.file")
        assert "checks: " in answer.stdout
    unreached = sturdis("verify", NOWHERE, "--junit", name, cwd=tmp_path)
    assert (unreached.returncode, error_code(unreached)) == (13, "target.unreachable")
    assert unreached.stderr.startswith("warning: the file")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_ours_is_told_of(tmp_path):
    tmp_path.chmod(0o500)
    answer = sturdis_of_an_ordinary_user("verify", NOWHERE, "--junit", str(tmp_path / "v.xml"))
    assert answer.returncode == 13
    assert "Permission denied" in answer.stderr


def test_what_is_no_regular_file_is_written_to_and_stays(tmp_path):
    answer = sturdis("verify", NOWHERE, "--junit", "/dev/stdout")
    assert answer.stdout.startswith("<?xml")
    sturdis("verify", NOWHERE, "--junit", "/dev/null")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
