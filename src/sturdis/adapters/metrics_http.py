"""The metrics endpoint of `up`, and reading anyone's: Prometheus text over HTTP."""

import http.client
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from urllib.error import HTTPError

from sturdis.core.facts import NoScrape, Scrape
from sturdis.core.metrics.exposition import CONTENT_TYPE, exposition
from sturdis.core.metrics.sample import Sample

FETCH_SECONDS = 2.0
"""Longest wait for each part of a scrape: to connect, for the headers, for the text."""

WHOLE_FETCH_SECONDS = 4 * FETCH_SECONDS
"""Longest wait for all of it."""

CLOSE_SECONDS = 0.05
"""Longest time from `close` until the port is free."""

LONGEST_SCRAPE = 16 << 20
"""Longest scrape that is read, in bytes."""

Read = Callable[[], Iterable[Sample]]
"""Takes the samples of one scrape."""


class MetricsServer:
    """Listens on `host`:`port` from construction until `close`; port 0 takes a free one.

    Raises:
        OSError: The port cannot be listened on.
    """

    def __init__(self, host: str, port: int) -> None:
        self._server = _Server((host, port), _Handler)
        self._thread: threading.Thread | None = None
        self.port = int(self._server.server_address[1])

    def serve(self, read: Read) -> None:
        """Answer at /metrics; `read` is called anew at every scrape, by one thread a scrape."""
        self._server.read = read
        thread = threading.Thread(
            target=self._server.serve_forever, args=(CLOSE_SECONDS,), daemon=True
        )
        thread.start()
        self._thread = thread  # one that could not be started is not awaited

    def close(self) -> None:
        """Stop serving and free the port."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    read: Read

    def handle_error(self, *_request: object) -> None:
        """Keep clients that hang up off the terminal."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = FETCH_SECONDS

    def do_GET(self) -> None:
        self.wfile.write(self._answer())

    def do_HEAD(self) -> None:
        self._answer()

    def _answer(self) -> bytes:
        """Send all but the body, and give that."""
        if self.path.split("?")[0] != "/metrics":
            self.send_error(HTTPStatus.NOT_FOUND, "the metrics are at /metrics")
            return b""
        body = exposition(self.server.read())
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return body

    def log_message(self, *_message: object) -> None:
        """Keep scrapes off the terminal."""


_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _read(reply: http.client.HTTPResponse) -> bytes:
    """Read a reply to its end.

    Raises:
        OSError: It takes longer than `FETCH_SECONDS` or is longer than `LONGEST_SCRAPE`.
    """
    deadline = time.monotonic() + FETCH_SECONDS
    text = b""
    while part := reply.read1(65536):
        text += part
        if time.monotonic() > deadline or len(text) > LONGEST_SCRAPE:
            raise OSError(f"not done after {FETCH_SECONDS:.0f} s or {LONGEST_SCRAPE >> 20} MiB")
    return text


def fetch(url: str) -> Scrape | NoScrape:
    """Scrape `url`, of http or https, once and without a proxy; labelled samples are left out.

    An endpoint that sends its headers a byte at a time is given up, and its thread left behind.
    """
    scraped: SimpleQueue[Scrape | NoScrape] = SimpleQueue()
    threading.Thread(target=lambda: scraped.put(_fetch(url)), daemon=True).start()
    try:
        return scraped.get(timeout=WHOLE_FETCH_SECONDS)
    except Empty:
        return NoScrape(url, f"{url} does not end its answer within {WHOLE_FETCH_SECONDS:.0f} s")


def _fetch(url: str) -> Scrape | NoScrape:
    try:
        with _DIRECTLY.open(url, timeout=FETCH_SECONDS) as reply:
            text = _read(reply)
    except HTTPError as error:
        return NoScrape(url, f"{url} answered {error.code} {error.reason}")
    except (OSError, http.client.HTTPException) as error:
        return NoScrape(url, f"{url} does not answer: {getattr(error, 'reason', error)}")
    return read(url, text)


def read(url: str, text: bytes) -> Scrape | NoScrape:
    """Read what a scrape of `url` gave; labelled samples are left out."""
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415  only where metrics are read

    try:
        families = list(text_string_to_metric_families(text.decode()))
    except ValueError as error:
        return NoScrape(url, f"{url} gives no metrics: {error}")
    samples = (sample for family in families for sample in family.samples)
    return Scrape(url, {one.name: float(one.value) for one in samples if not one.labels})
