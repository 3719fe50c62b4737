import json
import os
import sys
from pathlib import Path

import jsonschema_rs
import pytest

from tests.integration.running import error_code, sturdis

SPEC = """memory:
  limit: 512Mi
environments:
  prod:
    memory:
      limit: 256Mi
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "x.yaml"
    path.write_text(SPEC)
    return path


def test_an_environment_is_shown_with_where_its_values_are_written(spec):
    shown = sturdis("spec", "show", "--spec", str(spec), "--env", "prod").stdout
    assert '  limit: "256Mi"  # from environments.prod, line 6\n' in shown
    again = spec.with_name("again.yaml")
    again.write_text(shown)
    as_json = sturdis("spec", "show", "--spec", str(spec), "--env", "prod", "--json").stdout
    assert sturdis("spec", "show", "--spec", str(again), "--json").stdout == as_json
    assert json.loads(as_json)["memory"]["limit"] == "256Mi"


def test_json_is_itself_a_spec(spec):
    as_json = sturdis("spec", "show", "--spec", str(spec), "--json").stdout
    again = spec.with_name("again.yaml")
    again.write_text(as_json)
    assert sturdis("spec", "show", "--spec", str(again), "--json").stdout == as_json
    schema = json.loads(sturdis("spec", "schema").stdout)
    assert jsonschema_rs.validator_for(schema).is_valid(json.loads(as_json))
    assert json.loads(sturdis("spec", "schema", "--json").stdout) == schema


@pytest.mark.parametrize("verb", [("spec", "show"), ("up", "--ephemeral"), ("verify",)])
def test_an_environment_that_is_not_there_is_refused_before_anything_runs(verb, spec):
    answer = sturdis(*verb, "--spec", str(spec), "--env", "prdo")
    assert (answer.returncode, error_code(answer)) == (2, "usage")
    assert "did you mean --env prod?" in answer.stderr
    of_the_defaults = sturdis(*verb, "--env", "pord", cwd=spec.parent)
    assert "did you mean --env prod?" in of_the_defaults.stderr


@pytest.mark.tier("embedded")
def test_up_runs_an_environment(spec):
    chosen = ("--spec", str(spec), "--env", "prod", "--server", "embedded")
    run = (sys.executable, "-m", "sturdis", "cli", "config", "get", "maxmemory")
    answer = sturdis("up", "--ephemeral", *chosen, "--", *run)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.split() == ["maxmemory", str((256 << 20) * 60 // 100)]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"name: a\nmemory: \xff\n", "line 2: not UTF-8: invalid start byte at byte 16"),
        ("name: a\n".encode("utf-16"), "line 1: not UTF-8: invalid start byte at byte 0"),
        (b"# x\n" * (10 << 18), "it is longer than 64 KiB"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_of(content, told, tmp_path):
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    answer = sturdis("spec", "show", "--spec", str(path))
    assert (answer.returncode, error_code(answer)) == (2, "spec.unreadable")
    assert f"why: {told}\n" in answer.stderr


def test_a_byte_order_mark_is_read_over(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: mine\r\nmemory: {limit: 256Mi}\r\n")
    shown = json.loads(sturdis("spec", "show", "--spec", str(path), "--json").stdout)
    assert (shown["name"], shown["memory"]["limit"]) == ("mine", "256Mi")


def shown(**environ: str):
    return sturdis("spec", "show", "--json", env={**os.environ, **environ})


def test_a_shell_can_name_the_spec(tmp_path):
    (tmp_path / "named.yaml").write_text("name: named\n")
    Path("sturdis.yaml").write_text("name: here\n")
    named = str(tmp_path / "named.yaml")
    assert json.loads(shown(STURDIS_SPEC=named).stdout)["name"] == "named"
    assert json.loads(shown(STURDIS_SPEC="").stdout)["name"] == "here"
    both = sturdis("spec", "show", "--json", "--spec", "sturdis.yaml",
                   env={**os.environ, "STURDIS_SPEC": named})  # fmt: skip
    assert json.loads(both.stdout)["name"] == "here"


def test_a_spec_that_a_shell_names_and_that_is_not_there_is_told_of():
    refused = shown(STURDIS_SPEC="/missing/sturdis.yaml")
    assert json.loads(refused.stdout)["error"]["code"] == "spec.unreadable"
