"""The documents are complete, and their examples do what they say."""

import contextlib
import importlib.util
import pkgutil
import re
import subprocess
from pathlib import Path

import click
import msgspec
import pytest

from sturdis.cli import main
from sturdis.core import checks, errors
from sturdis.core.metrics import queues, server
from sturdis.core.spec import Spec
from tests import documents, tiers
from tests.documents import ROOT


@pytest.mark.tier("usual-ports")
@pytest.mark.parametrize("path", documents.DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_examples_print_what_the_document_says(path, tmp_path):
    with documents.work_folder(tmp_path) as environ, contextlib.ExitStack() as running:
        for example in documents.examples(path):
            if any(tiers.left_out(name) for name in example.tiers):
                continue
            if "background" in example.words:
                printed = running.enter_context(documents.run_on(example, tmp_path, environ))
            else:
                printed = documents.run(example, tmp_path, environ)
            assert documents.matches(printed, example.printed), f"$ {example.command}\n{printed}"


def text(name: str) -> str:
    return (ROOT / name).read_text()


def test_the_readme_has_examples_to_run():
    assert len(documents.examples(ROOT / "README.md")) >= 6


@pytest.mark.parametrize(
    ("printed", "expected", "same"),
    [
        ("a\nb\n", "a\nb", True),
        ("a\nb\n", "a", False),
        ("", "", True),
        ("a\n", "", False),
        ("a 1 b\n", "a … b", True),
        ("a 1 c\n", "a … b", False),
        ("a\nx\ny\nb\n", "a\n…\nb", True),
        ("a\nb\n", "a\n…\nb", True),
        ("a\nx\n", "a\n…\nb", False),
    ],
)
def test_an_example_is_held_against_what_it_printed(printed, expected, same):
    assert documents.matches(printed, expected) is same


def test_every_error_code_is_documented_with_its_status_and_meaning():
    rows = re.findall(r"\| `([a-z_.]+)` \| (\d+) \| (.*) \|", text("docs/exit-codes.md"))
    expected = [
        (code, str(errors.FAMILIES[code.split(".")[0]].exit_status), meaning)
        for code, meaning in errors.CODES.items()
    ]
    assert rows == expected


def test_every_error_code_is_raised_somewhere():
    source = "".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    for code in errors.CODES:
        assert source.count(f'"{code}"') >= 2, code


def test_every_exit_status_is_documented():
    statuses = {family.exit_status for family in errors.FAMILIES.values()} | {
        errors.OK, errors.CHECK_FAILED, errors.UNDETERMINED, errors.BUG, errors.INTERRUPTED,
    }  # fmt: skip
    documented = re.findall(r"(?m)^\| (\d+) \|", text("docs/exit-codes.md"))
    assert {int(status) for status in documented} == statuses


def test_every_check_is_documented():
    rows = re.findall(r"(?m)^\| `([a-z.]+)` \| (.*) \| (.*) \|$", text("docs/checks.md"))
    assert rows == [(check.id, check.promise, check.why) for check in checks.CHECKS]


def test_every_metric_is_documented():
    row = r"(?m)^\| `((?:redis|bullmq)_\w+)(?:\{(.*)\})?` \| (\w+) \| (.*) \|$"
    known = [*server.METRICS, *queues.METRICS]
    expected = [(one.name, ",".join(one.labels), one.kind, one.help) for one in known]
    assert re.findall(row, text("docs/metrics.md")) == expected


def test_every_setting_is_documented():
    def keys(kind: msgspec.inspect.StructType, path: str = "") -> list[str]:
        found = []
        for field in kind.fields:
            inner = (
                field.type.type if isinstance(field.type, msgspec.inspect.Metadata) else field.type
            )
            found.append(path + field.encode_name)
            if isinstance(inner, msgspec.inspect.StructType):
                found += keys(inner, f"{path}{field.encode_name}.")
        return found

    kind = msgspec.inspect.type_info(Spec)
    assert isinstance(kind, msgspec.inspect.StructType)
    shown = text("docs/spec.md")
    for key in keys(kind):
        indent = "  " * key.count(".")
        assert re.search(rf"(?m)^{indent}{key.split('.')[-1]}:", shown), key


def test_every_command_and_option_is_documented():
    shown = text("docs/commands.md")
    context = click.Context(main.group)
    for verb, (_module, summary) in main.VERBS.items():
        assert f"| `sturdis {verb}` | {summary} |" in shown
        command = main.group.get_command(context, verb)
        assert command is not None
        assert command.get_short_help_str(200).rstrip(".") == summary.rstrip("."), verb
        below = command.commands if isinstance(command, click.Group) else {}
        for name in below:
            assert f"sturdis {verb} {name}" in shown
        for parameter in (one for each in (command, *below.values()) for one in each.params):
            for option in parameter.opts:
                assert not option.startswith("--") or option in shown, f"{verb} {option}"


every_text = pytest.mark.parametrize(
    "path",
    [
        *documents.DOCUMENTS,
        *sorted((ROOT / "docs/adr").glob("*.md")),
        ROOT / "CONTRIBUTING.md",
        ROOT / "CHANGELOG.md",
    ],
    ids=lambda path: str(path.relative_to(ROOT)),
)

CITED = re.compile(r"`((?:core|adapters|flows|wiring|cli)(?:[./][A-Za-z_]\w*)+)")
RUN = re.compile(
    r"\b(?:pytest (?P<tests>tests[\w/.]*)(?: -k (?P<words>\w+))?|python -m (?P<module>[\w.]+))"
)


@every_text
def test_every_symbol_that_a_text_cites_is_there(path):
    for cited in CITED.findall(path.read_text()):
        pkgutil.resolve_name("sturdis." + cited.replace("/", ".").removesuffix(".py"))


@every_text
def test_every_command_that_reproduces_a_figure_finds_what_it_runs(path):
    for command in RUN.finditer(path.read_text()):
        if command["tests"]:
            place = ROOT / command["tests"]
            files = [place] if place.is_file() else [*place.rglob("test_*.py")]
            found = "".join(f"{file.stem}\n{file.read_text()}" for file in files)
            assert found, command[0]
            assert (command["words"] or "") in found, command[0]
        elif command["module"] != "pytest":
            assert importlib.util.find_spec(command["module"]), command[0]


@every_text
def test_links_to_files_lead_somewhere(path):
    for link in re.findall(r"\]\(([^)#\s]+)", path.read_text()):
        if "://" not in link:
            assert (path.parent / link).exists(), link


def test_every_decision_that_code_cites_is_recorded():
    recorded = {path.name[:4] for path in (ROOT / "docs/adr").glob("0*.md")}
    source = [*(ROOT / "src").rglob("*.py"), *(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]
    for path in source:
        for number in re.findall(r"adr/(\d{4})", path.read_text()):
            assert number in recorded, f"{path}: {number}"


def test_the_makefile_helps_with_every_target():
    makefile = text("Makefile")
    targets = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split()
    shown = subprocess.run(
        ["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for target in set(targets) - {"help"}:
        assert f"make {target} " in shown.stdout, target


def test_documents_name_nothing_outside_the_repository():
    for path in [
        *documents.DOCUMENTS,
        *Path(ROOT / "docs/adr").glob("*.md"),
        ROOT / "CONTRIBUTING.md",
    ]:
        assert "../shared" not in path.read_text(), path
