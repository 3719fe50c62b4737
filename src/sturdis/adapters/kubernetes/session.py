"""Requests to one API server, on plain dicts.

The client library reads the kubeconfig, logs in and connects. Requests are made here: its own calls
hide the warnings of admission, and its generic ones know neither preconditions nor paths.
"""

import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2
import lightkube
from lightkube.config import client_adapter
from lightkube.config.client_adapter import ConnectionParams
from lightkube.core.exceptions import ConfigError

from sturdis.adapters.kubernetes import kubeconfig, refusals
from sturdis.core.cluster import Kind, Manifest, Ref
from sturdis.core.errors import ClusterError

CONNECT_SECONDS = 5.0
"""Longest wait for a connection: a cluster behind a VPN that is off is found out."""

JSON = "application/json"

ANSWER_SECONDS = 30.0
"""Longest wait for an answer: Kubernetes' own limit of an admission webhook."""


class Session:
    """A connection to the API server of one context, as its user.

    Args:
        context: Of the kubeconfig; None: the current one.

    Raises:
        ClusterError: `cluster.none`, `cluster.unknown_context` or `cluster.kubeconfig`.
    """

    def __init__(self, context: str | None) -> None:
        self.config = kubeconfig.choose(context)
        self.server = self.config.cluster.server
        self._timeout = httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        try:
            self.http = client_adapter.Client(self.config, ConnectionParams(timeout=self._timeout))
        except (ConfigError, OSError, ValueError, TypeError, httpx2.InvalidURL) as error:
            raise kubeconfig.unusable(str(error)) from error
        self.warnings: list[str] = []
        """What admission warned of, in the order it came."""

    @functools.cached_property
    def client(self) -> lightkube.Client:
        """The library's own client of the same cluster and user."""
        return lightkube.Client(self.config, timeout=self._timeout)

    def close(self) -> None:
        """Close all connections; twice is as once."""
        self.http.close()
        if "client" in self.__dict__:
            self.client.close()

    def json(
        self,
        verb: str,
        ref: Ref,
        *,
        params: Mapping[str, str] | None = None,
        body: Manifest | None = None,
        content_type: str = "application/json",
        named: Ref | None = None,
    ) -> Manifest:
        """Do `verb`, as RBAC names it, to an object or a kind, and give the answer.

        An error names `named`, where that is not what the request itself names.

        Raises:
            ClusterError: It is refused, or not answered.
        """
        method = {"list": "GET", "create": "POST"}.get(verb, verb.upper())
        content = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": content_type}
        response = self.send(
            method, path(ref), verb, named or ref, params=params, content=content, headers=headers
        )
        return self._object(response, "kind")

    def told(self, where: str, key: str) -> Manifest:
        """Give what the API server tells of itself at a path, with `key` in it.

        Raises:
            ClusterError: It is refused, or not answered.
        """
        return self._object(self.send("GET", where, "get", where), key)

    def _object(self, response: httpx2.Response, key: str) -> Manifest:
        try:
            answer = response.json()
        except ValueError as error:
            raise self._no_api(response) from error
        if not isinstance(answer, dict) or key not in answer:
            raise self._no_api(response)
        return answer

    def _no_api(self, response: httpx2.Response) -> ClusterError:
        """Say that something else answers, as a proxy that asks people to log in."""
        kind = response.headers.get("Content-Type", "of no type")
        return ClusterError(
            "cluster.unreachable",
            f"{self.server} answers, and is no API server",
            why=f"status {response.status_code} and {kind}, which is no object of Kubernetes",
            do="kubectl cluster-info    tries the same; look at the server in the kubeconfig",
        )

    def send(
        self, method: str, where: str, verb: str, what: Ref | str, **request: Any
    ) -> httpx2.Response:
        """Send one request and give its answer.

        Args:
            method: Of HTTP.
            where: The path.
            verb: What that is to RBAC, for an error's text.
            what: The object, for the same.
            request: More for the HTTP client.

        Raises:
            ClusterError: It is refused, or not answered.
        """
        try:
            response = self.http.request(method, where, **request)
        except httpx2.HTTPError as error:
            raise self._broken(error) from error
        except (ConfigError, OSError, KeyError, ValueError) as error:
            raise kubeconfig.unusable(f"logging in: {error}") from error
        self.warnings += map(_warning, response.headers.get_list("Warning"))
        if response.is_error:
            raise _refused(response, verb, what)
        return response

    def lines(
        self, ref: Ref, params: Mapping[str, str], verb: str, seconds: float
    ) -> Iterator[str]:
        """Give the lines of an answer that goes on for about so many seconds.

        Raises:
            ClusterError: It is refused, or breaks off.
        """
        limit = httpx2.Timeout(seconds + ANSWER_SECONDS, connect=CONNECT_SECONDS)
        try:
            with self.http.stream("GET", path(ref), params=params, timeout=limit) as response:
                if response.is_error:
                    response.read()
                    raise _refused(response, verb, ref)
                if not response.headers.get("Content-Type", "").startswith(JSON):
                    raise self._no_api(response)
                yield from response.iter_lines()
        except httpx2.HTTPError as error:
            raise self._broken(error) from error
        except RuntimeError as error:
            if self.http.is_closed:  # by another thread, while this one watched
                raise refusals.lost(self.server, error) from error
            raise

    def _broken(self, error: httpx2.HTTPError) -> ClusterError:
        not_there = httpx2.ConnectError | httpx2.ConnectTimeout
        made = refusals.unreachable if isinstance(error, not_there) else refusals.lost
        return made(self.server, error)


def root(kind: Kind) -> str:
    """Give the path below which a kind's group and version are served."""
    return f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"


def path(ref: Ref) -> str:
    """Give the path of an object; without a name, of all of its kind."""
    within = f"/namespaces/{ref.namespace}" if ref.namespace and ref.kind.namespaced else ""
    name = f"/{ref.name}" if ref.name else ""
    return f"{root(ref.kind)}{within}/{ref.kind.plural}{name}"


def selecting(labels: Mapping[str, str] | None, fields: Mapping[str, str] | None) -> dict[str, str]:
    """Give the parameters of a list or watch that choose objects."""

    def joined(table: Mapping[str, str]) -> str:
        return ",".join(f"{key}={value}" for key, value in table.items())

    chosen = {"labelSelector": joined(labels or {}), "fieldSelector": joined(fields or {})}
    return {key: value for key, value in chosen.items() if value}


def _refused(response: httpx2.Response, verb: str, what: Ref | str) -> ClusterError:
    try:
        said = response.json()
    except ValueError:
        said = {}
    told = said if isinstance(said, dict) else {}
    return refusals.refused(response.status_code, told, verb, what)


def _warning(header: str) -> str:
    """Take the text out of `299 - "text"`."""
    return header.partition(' "')[2].rstrip('"').replace('\\"', '"') or header
