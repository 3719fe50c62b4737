"""The shape of the code, as a test: layers, sizes, names, calls that are not made."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sturdis import wiring
from sturdis.core.errors import CODES

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src/sturdis"
MODULES = sorted(SOURCE.rglob("*.py"))
PYTHON = [
    *MODULES,
    *sorted((ROOT / "tests").rglob("*.py")),
    *sorted((ROOT / "bench").rglob("*.py")),
    *sorted((ROOT / "record").rglob("*.py")),
]

FILE_LINES = 300
FUNCTION_LINES = 40
VAGUE = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}

FORBIDDEN_CALLS = {
    "breakpoint", "eval", "exec", "input", "os._exit", "os.system", "print", "time.sleep",
}  # fmt: skip
CLOCKS = {"datetime.now", "time.monotonic", "time.perf_counter", "time.time"}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def calls(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


def test_the_layers_hold():
    checked = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("path", PYTHON, ids=named)
def test_files_stay_short(path):
    assert len(path.read_text().splitlines()) < FILE_LINES


@pytest.mark.parametrize("path", PYTHON, ids=named)
def test_functions_stay_short(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = (node.end_lineno or 0) - node.lineno + 1
            assert body < FUNCTION_LINES, f"{node.name}: {body} lines"


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_no_module_is_named_for_nothing(path):
    assert path.stem not in VAGUE


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_forbidden_calls_are_not_made(path):
    made = [
        (line, name) for line, name in calls(ast.parse(path.read_text())) if name in FORBIDDEN_CALLS
    ]
    assert not made


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_only_adapters_tell_the_time(path):
    if "adapters" not in path.parts:
        assert not [name for _line, name in calls(ast.parse(path.read_text())) if name in CLOCKS]


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_only_the_boundary_catches_everything(path):
    handlers = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler)
    ]
    wide = [
        one
        for one in handlers
        if one.type is None or ast.unparse(one.type) in ("Exception", "BaseException")
    ]
    assert len(wide) == (1 if path == SOURCE / "cli/main.py" else 0)


@pytest.mark.parametrize("path", PYTHON, ids=named)
def test_nothing_is_patched(path):
    if path != Path(__file__):
        assert not re.search(r"monkeypatch|unittest\.mock|MagicMock", path.read_text())


def test_help_imports_no_library_but_click():
    script = (
        "import sys; from sturdis.cli import main; main.run(['--help']);"
        "print(sorted(name for name in sys.modules if '.' not in name), file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(ast.literal_eval(run.stderr))
    assert "click" in loaded
    assert not loaded & {
        "asyncio",
        "bullmq",
        "jsonschema_rs",
        "msgspec",
        "prometheus_client",
        "redis",
        "yaml",
    }


def test_up_needs_neither_a_redis_client_nor_yaml_to_start():
    script = (
        "import sys; from sturdis.cli import main; main.run(['up', '--ephemeral', '--', 'true']);"
        "print(sorted(name for name in sys.modules if '.' not in name))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    unwanted = {"asyncio", "bullmq", "jsonschema_rs", "redis", "yaml"}
    assert not set(ast.literal_eval(run.stdout)) & unwanted


def test_verify_of_an_address_imports_no_client_of_a_cluster():
    script = (
        "import sys; from sturdis.cli import main; main.run(['verify', 'redis://127.0.0.1:1']);"
        "print(sorted(name for name in sys.modules if '.' not in name))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(ast.literal_eval(run.stdout))
    assert "redis" in loaded
    assert not loaded & {"httpx2", "lightkube", "wsproto"}


@pytest.mark.parametrize(
    "name", ["requirements/runtime.txt", "requirements/dev.txt", "requirements/build.txt"]
)
def test_requirements_are_pinned_hashed_and_name_no_address(name):
    text = (ROOT / name).read_text()
    assert "://" not in text
    pinned = re.findall(r"(?m)^[a-z][^\n]*", text)
    assert all(re.match(r"[a-z0-9-]+(\[[a-z]+\])?==\S+ ", line) for line in pinned)
    assert text.count("--hash=sha256:") >= len(pinned) > 0


def test_the_runtime_requirements_are_part_of_the_dev_ones():
    def pins(name: str) -> set[str]:
        return set(re.findall(r"(?m)^([a-z][^ ]*==[^ ]+)", (ROOT / name).read_text()))

    assert pins("requirements/runtime.txt") <= pins("requirements/dev.txt")


def test_the_node_lock_names_no_registry():
    lock = (ROOT / "examples/bullmq/package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert '"integrity"' in lock


def test_every_name_of_the_wiring_is_found_where_it_is_said_to_be():
    for name in wiring.__all__:
        assert getattr(wiring, name) is not None


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_every_error_that_is_raised_has_a_code(path):
    used = set(re.findall(r'Error\(\s*"([a-z]+\.[a-z_]+)"', path.read_text()))
    assert used <= set(CODES)
