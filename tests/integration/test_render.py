"""`sturdis render`: writing a tree, finding what differs, and losing nothing that was edited."""

import json
import os
import subprocess

import pytest
import yaml

from tests.integration.running import error_code, sturdis

SPEC = "gitops: {repoURL: 'ssh://git.local/app.git'}\n"
BASE = "apps/infrastructure/redis/base"
APPLICATION = "apps/infrastructure/redis.yaml"


@pytest.fixture
def spec(home):
    """Give a folder with a spec; commands run there."""
    (home / "sturdis.yaml").write_text(SPEC)
    return home


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".git/" not in str(path)
    }


def test_a_tree_is_written_and_a_second_run_changes_nothing(spec):
    first = sturdis("render", "-o", "out")
    assert first.returncode == 0, first.stderr
    assert f"new      {APPLICATION}" in first.stdout
    before = files(spec / "out")
    second = sturdis("render", "-o", "out")
    assert (second.returncode, second.stdout) == (0, "out is as rendered\n")
    assert files(spec / "out") == before


def test_the_sums_are_those_of_sha256sum(spec):
    sturdis("render", "-o", "out")
    sums = "apps/infrastructure/redis/rendered.sha256"
    checked = subprocess.run(["sha256sum", "--check", "--quiet", sums], cwd="out", check=False)
    assert checked.returncode == 0


def test_check_shows_what_a_changed_spec_changes_and_writes_nothing(spec):
    sturdis("render", "-o", "out")
    assert sturdis("render", "-o", "out", "--check").returncode == 0
    before = files(spec / "out")
    (spec / "sturdis.yaml").write_text(SPEC + "persistence: {fsync: always}\n")
    shown = sturdis("render", "-o", "out", "--check")
    assert shown.returncode == 1
    assert "-    appendfsync everysec" in shown.stdout
    assert "+    appendfsync always" in shown.stdout
    assert files(spec / "out") == before


def test_check_of_an_empty_folder_fails_and_makes_nothing(spec):
    shown = sturdis("render", "-o", "none", "--check")
    assert shown.returncode == 1
    assert f"+++ b/{APPLICATION}" in shown.stdout
    assert not (spec / "none").exists()


def test_what_was_rendered_before_is_replaced_and_removed_unasked(spec):
    sturdis("render", "-o", "out")
    (spec / "sturdis.yaml").write_text(SPEC + "monitoring: {rules: false}\nenvironments: {}\n")
    changed = sturdis("render", "-o", "out")
    assert changed.returncode == 0, changed.stderr
    assert f"removed  {BASE}/prometheusrule.yaml" in changed.stdout
    assert not (spec / "out/apps/infrastructure/redis/overlays/prod").exists()
    assert sturdis("render", "-o", "out", "--check").returncode == 0


def test_an_edited_file_is_not_lost_without_a_yes(spec):
    sturdis("render", "-o", "out")
    edited = spec / "out" / BASE / "service.yaml"
    edited.write_text(edited.read_text() + "# mine\n")
    before = files(spec / "out")
    (spec / "sturdis.yaml").write_text(SPEC + "persistence: {fsync: always}\n")
    refused = sturdis("render", "-o", "out")
    assert refused.returncode == 2
    assert "error[usage.not_agreed]" in refused.stderr
    assert f"replaced {BASE}/service.yaml    not as sturdis rendered it" in refused.stderr
    assert files(spec / "out") == before
    assert sturdis("render", "-o", "out", "--yes").returncode == 0
    assert "# mine" not in edited.read_text()


def test_a_foreign_file_in_the_way_is_not_lost_without_a_yes(spec):
    foreign = spec / "out" / APPLICATION
    foreign.parent.mkdir(parents=True)
    foreign.write_text("theirs\n")
    assert "error[usage.not_agreed]" in sturdis("render", "-o", "out").stderr
    assert files(spec / "out") == {APPLICATION: b"theirs\n"}


def test_files_beside_the_tree_are_left_alone(spec):
    other = spec / "out" / BASE / "theirs.yaml"
    other.parent.mkdir(parents=True)
    other.write_text("theirs\n")
    assert sturdis("render", "-o", "out").returncode == 0
    assert other.read_text() == "theirs\n"


def test_without_a_repository_argo_cd_could_read_nothing_is_rendered(home):
    refused = sturdis("render", "-o", "out")
    assert (error_code(refused), refused.returncode) == ("spec.no_repository", 2)
    assert not (home / "out").exists()
    assert sturdis("render", "--stdout").returncode == 0


def git(*words: str) -> None:
    subprocess.run(["git", *words], check=True, capture_output=True)


def test_the_origin_of_the_work_tree_is_the_repository(home):
    git("init", "-q", "repo")
    git("-C", "repo", "remote", "add", "origin", "https://user:secret@git.local/app.git")
    rendered = sturdis("render", "-o", "repo/deploy")
    assert rendered.returncode == 0, rendered.stderr
    application = yaml.safe_load((home / "repo/deploy" / APPLICATION).read_text())
    source = application["spec"]["source"]
    assert source["repoURL"] == "https://git.local/app.git"
    assert source["path"] == "deploy/apps/infrastructure/redis/overlays/prod"
    assert b"secret" not in b"".join(files(home / "repo/deploy").values())


def test_env_chooses_what_is_deployed_and_leaves_the_overlays(spec):
    sturdis("render", "-o", "out", "--env", "stage")
    application = yaml.safe_load((spec / "out" / APPLICATION).read_text())
    assert application["spec"]["source"]["path"].endswith("overlays/stage")
    assert (spec / "out/apps/infrastructure/redis/overlays/prod").is_dir()


def test_stdout_prints_the_objects_of_one_environment(spec):
    printed = sturdis("render", "--stdout", "--env", "prod")
    found = {one["kind"]: one for one in yaml.safe_load_all(printed.stdout)}
    (template,) = found["StatefulSet"]["spec"]["volumeClaimTemplates"]
    assert template["spec"]["resources"]["requests"]["storage"] == "20Gi"


def test_an_unknown_environment_is_refused_with_what_was_meant(spec):
    refused = sturdis("render", "-o", "out", "--env", "prd")
    assert (error_code(refused), refused.returncode) == ("usage", 2)
    assert "did you mean --env prod?" in refused.stderr
    assert not (spec / "out").exists()


def test_json_tells_what_became_of_each_file(spec):
    told = json.loads(sturdis("render", "-o", "out", "--json").stdout)
    assert {"path": APPLICATION, "change": "new", "edited": False} in told["changes"]


def test_a_folder_that_cannot_be_written_is_an_error(spec):
    (spec / "out").write_text("a file\n")
    refused = sturdis("render", "-o", "out")
    assert error_code(refused) == "output.file"
    assert (spec / "out").read_text() == "a file\n"


@pytest.mark.parametrize("other", [("--check",), ("-o", "out")])
def test_what_is_for_a_folder_does_not_go_with_stdout(other, spec):
    assert error_code(sturdis("render", "--stdout", *other)) == "usage"


def test_stdout_gives_json_for_programs(spec):
    printed = json.loads(sturdis("render", "--stdout", "--json").stdout)
    assert "StatefulSet" in [one["kind"] for one in printed]


def test_a_file_that_is_no_text_is_shown_and_mended_by_a_yes(spec):
    sturdis("render", "-o", "out")
    spoilt = spec / "out" / APPLICATION
    spoilt.write_bytes(b"\xff\n")
    shown = sturdis("render", "-o", "out", "--check", errors="surrogateescape")
    assert (shown.returncode, "-\udcff" in shown.stdout) == (1, True)
    assert sturdis("render", "-o", "out", "--yes").returncode == 0
    assert b"Application" in spoilt.read_bytes()


def test_sums_that_make_no_sense_are_written_anew(spec):
    sturdis("render", "-o", "out")
    sums = spec / "out/apps/infrastructure/redis/rendered.sha256"
    sums.write_text(f"{'0' * 64}  apps/infrastructure/a\0b\n{sums.read_text()}")
    assert sturdis("render", "-o", "out").returncode == 0
    assert "\0" not in sums.read_text()


def test_a_name_that_is_too_long_is_an_error(spec):
    assert error_code(sturdis("render", "-o", "x" * 300)) == "output.file"


def test_two_deployments_share_a_tree_and_leave_each_others_files(spec):
    (spec / "two.yaml").write_text(f"name: two\nnamespace: two\n{SPEC}")
    sturdis("render", "-o", "out")
    assert sturdis("render", "-o", "out", "--spec", "two.yaml").returncode == 0
    (spec / "sturdis.yaml").write_text(f"{SPEC}storage: {{class: fast}}\n")
    assert sturdis("render", "-o", "out").returncode == 0
    assert sturdis("render", "-o", "out", "--spec", "two.yaml", "--check").returncode == 0


def test_a_hook_of_git_does_not_lead_to_its_own_work_tree(home):
    git("init", "-q", "repo")
    git("-C", "repo", "remote", "add", "origin", "ssh://git.local/app.git")
    git("init", "-q", "other")
    environ = {**os.environ, "GIT_DIR": str(home / "other/.git")}
    assert sturdis("render", "-o", "repo/a/../deploy", env=environ).returncode == 0
    application = yaml.safe_load((home / "repo/deploy" / APPLICATION).read_text())
    assert application["spec"]["source"]["path"].startswith("deploy/apps/")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_a_work_tree_that_git_does_not_tell_of_is_an_error(spec):
    git("init", "-q", "repo")
    os.chown("repo", 12345, 12345)
    os.chown("repo/.git", 12345, 12345)
    refused = sturdis("render", "-o", "repo")
    assert error_code(refused) == "spec.work_tree"
    assert "dubious ownership" in refused.stderr
