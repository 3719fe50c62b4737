"""What answers in place of an API server, and what this machine does not give: told plainly."""

import http.server
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.running import error_code, sturdis

VERBS = [
    ("apply", "--dry-run"),
    ("grow", "--dry-run"),
    ("doctor", "--context", "there"),
    ("verify", "--context", "there"),
    ("cli", "--context", "there", "ping"),
]


@contextmanager
def answering(kind: str, body: bytes, status: int = 200) -> Iterator[str]:
    """Answer every request alike; give the address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def environ(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """Give a function that gives an environment whose current context leads to an address."""

    def written(server: str) -> dict[str, str]:
        config = tmp_path / "config"
        config.write_text(
            f"""\
apiVersion: v1
kind: Config
clusters: [{{name: there, cluster: {{server: "{server}"}}}}]
users: [{{name: nobody, user: {{}}}}]
contexts: [{{name: there, context: {{cluster: there, user: nobody}}}}]
current-context: there
"""
        )
        return os.environ | {"KUBECONFIG": str(config)}

    return written


@pytest.mark.parametrize("words", VERBS, ids=lambda words: words[0])
def test_a_page_for_people_is_no_api_server(environ, words):
    with answering("text/html", b"<html>Please log in</html>") as server:
        answer = sturdis(*words, env=environ(server))
    assert (answer.returncode, error_code(answer)) == (18, "cluster.unreachable")
    assert f"{server} answers, and is no API server" in answer.stderr
    assert "status 200 and text/html" in answer.stderr


@pytest.mark.parametrize(("body", "status"), [(b"[]", 200), (b"{}", 200), (b"{", 200), (b"", 302)])
def test_what_is_no_object_of_kubernetes_is_not_taken_for_one(environ, body, status):
    with answering("application/json", body, status) as server:
        for words in (("apply", "--dry-run"), ("verify", "--context", "there")):
            answer = sturdis(*words, env=environ(server))
            assert (answer.returncode, error_code(answer)) == (18, "cluster.unreachable")
            assert f"status {status}" in answer.stderr


def test_an_interrupt_while_modules_load_is_one(tmp_path):
    (tmp_path / "redis.py").write_text(
        "import signal\n"
        "class Interrupted:\n"
        "    def __set_name__(self, owner, name):\n"
        "        signal.raise_signal(signal.SIGINT)\n"
        "class Loaded:\n"
        "    field = Interrupted()\n"
    )
    answer = sturdis(
        "cli", "--target", "redis://127.0.0.1:1", "ping",
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert (answer.returncode, answer.stdout, answer.stderr) == (130, "", "interrupted\n")
