"""The programs that make load, as an object that pods of any image with BullMQ can mount."""

import io
import zipfile
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sturdis.core.cluster import CONFIG_MAP, Manifest

PACKAGE = Path(__file__).parent.parent.parent
"""The folder of Sturdis' own sources."""

FOLDER = "/programs"
"""Where a pod finds them."""

LIBRARY = "library.zip"
"""Key of what the Python load imports, which Python reads as it is."""

SCRIPT = "load.mjs"
"""Key of the Node load, and its file's name."""

PARTS = ("core", "adapters/drill", "adapters/redis")
"""Folders of the library; beside them the modules of the folders around."""

COMMANDS: Mapping[str, Sequence[str]] = {
    "python": (
        "env", f"PYTHONPATH={FOLDER}/{LIBRARY}", "python3", "-m",
        "sturdis.adapters.drill.load_python",
    ),
    "node": ("node", f"{FOLDER}/{SCRIPT}", "/app"),
}  # fmt: skip
"""Language to the command of its load in a pod."""

IDLE: Mapping[str, Sequence[str]] = {
    "python": ("python3", "-c", "import signal; signal.pause()"),
    "node": ("node", "-e", "setInterval(() => {}, 1 << 30)"),
}
"""Language to what its pod does until it is told."""

CLOCKS: Mapping[str, Sequence[str]] = {
    "python": ("python3", "-c", "import time; print(time.time_ns() // 10**6)"),
    "node": ("node", "-e", "console.log(Date.now())"),
}
"""Language to a program that tells the time, in milliseconds since 1970."""

CONNECTED = b"connected"

_PYTHON_CONNECTS = """
import contextlib, socket, sys
host, port, seconds = sys.argv[1:]
with contextlib.suppress(OSError):
    socket.create_connection((host, int(port)), float(seconds)).close()
    print("connected")
"""

_NODE_CONNECTS = """
const [host, port, seconds] = process.argv.slice(1);
const one = require("net").connect({host, port: Number(port)});
setTimeout(() => one.destroy(), seconds * 1000).unref();
one.on("error", () => {});
one.on("connect", () => { console.log("connected"); one.destroy(); });
"""

CONNECTS: Mapping[str, Sequence[str]] = {
    "python": ("python3", "-c", _PYTHON_CONNECTS),
    "node": ("node", "-e", _NODE_CONNECTS),
}
"""Language to a program that prints `CONNECTED` where host and port take it within seconds."""


def config_map(name: str, namespace: str, labels: Mapping[str, str]) -> Manifest:
    """Give the ConfigMap of that name with all programs."""
    script = (PACKAGE / "adapters/drill" / SCRIPT).read_bytes()
    data = {LIBRARY: _library(), SCRIPT: script}
    return {
        "apiVersion": CONFIG_MAP.api_version,
        "kind": CONFIG_MAP.kind,
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels)},
        "immutable": True,
        "binaryData": {key: b64encode(content).decode() for key, content in data.items()},
    }


def _library() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as library:
        for path in _modules():
            inside = zipfile.ZipInfo(str(path.relative_to(PACKAGE.parent)))
            library.writestr(inside, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _modules() -> Iterator[Path]:
    for folder in (PACKAGE, PACKAGE / "adapters"):
        yield from sorted(folder.glob("*.py"))
    for part in PARTS:
        yield from sorted((PACKAGE / part).rglob("*.py"))
