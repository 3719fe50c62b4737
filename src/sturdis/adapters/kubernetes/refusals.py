"""What the client library and the API server say when they refuse, as our errors."""

import ssl
from collections.abc import Mapping
from typing import Any

import httpx2

from sturdis.core.cluster import Kind, Ref
from sturdis.core.errors import ClusterError

DENIED = 401
FORBIDDEN = 403
NOT_FOUND = 404
CONFLICT = 409

CONFLICTS_SHOWN = 5
"""Most fields that a conflict names; the rest is counted."""


def unreachable(server: str, error: Exception) -> ClusterError:
    """Say that there is no connection to the API server."""
    return ClusterError(
        "cluster.unreachable",
        f"the API server {server} is not reached",
        why=_cause(error),
        do="kubectl cluster-info    tries the same; --context CTX takes another cluster",
    )


def lost(server: str, error: Exception) -> ClusterError:
    """Say that the connection broke, or an answer did not come."""
    return ClusterError(
        "cluster.lost",
        f"the API server {server} did not finish its answer",
        why=_cause(error),
        do="try again: nothing that was applied is applied twice",
    )


def refused(status: int, said: Mapping[str, Any], verb: str, what: Ref | str) -> ClusterError:
    """Say what the API server answered in place of doing it.

    Args:
        status: Of HTTP.
        said: The Status object that it answered with, or what came close to one.
        verb: What was asked for, as RBAC names it.
        what: The object or path.
    """
    message = str(said.get("message") or f"HTTP status {status}")
    if status == DENIED:
        return ClusterError(
            "cluster.denied",
            "the API server does not know the user of this context",
            why=message,
            do="log in to the cluster again; kubectl auth whoami    shows as whom",
        )
    if status == FORBIDDEN and " cannot " in message:
        return _forbidden(message, verb, what)
    if status == NOT_FOUND:
        return _not_found(said, what, message)
    if status == CONFLICT:
        return _conflict(said, what)
    return ClusterError(
        "cluster.refused",
        f"the API server refused to {verb} {what}",
        why=_causes(said) or message,
        do="mend what it names in the spec or in the cluster, and try again",
    )


def forbidden(verb: str, kind: Kind, namespace: str) -> ClusterError:
    """Say that the user may not do what is needed, as found out by asking first."""
    where = f" in namespace {namespace}" if namespace else ""
    return ClusterError(
        "cluster.forbidden",
        f"the user of this context may not {verb} {resource(kind)}{where}",
        why="the API server says so when asked; nothing was changed",
        do=can_i(verb, kind, namespace),
    )


def can_i(verb: str, kind: Kind, namespace: str) -> str:
    """Give the command that asks the same."""
    where = f" -n {namespace}" if namespace else ""
    return f"kubectl auth can-i {verb} {resource(kind)}{where}    asks the same; ask for the right"


def resource(kind: Kind) -> str:
    """Name a kind as RBAC does: statefulsets.apps."""
    return f"{kind.plural}.{kind.group}" if kind.group else kind.plural


def _forbidden(message: str, verb: str, what: Ref | str) -> ClusterError:
    do = "kubectl auth can-i --list    shows what the user may do"
    if isinstance(what, Ref):
        do = can_i(verb, what.kind, what.namespace)
    return ClusterError(
        "cluster.forbidden", f"the user of this context may not {verb} {what}", why=message, do=do
    )


def _not_found(said: Mapping[str, Any], what: Ref | str, message: str) -> ClusterError:
    missing = said.get("details") or {}
    if missing.get("kind") == "namespaces" and isinstance(what, Ref) and what.namespace:
        return ClusterError(
            "cluster.not_found",
            f"namespace {what.namespace} is not there, and {what} would be in it",
            why=message,
            do=f"kubectl create namespace {what.namespace}    or ask for it; then try again",
        )
    return ClusterError(
        "cluster.not_found", f"{what} is not there", why=message, do="sturdis apply"
    )


def _conflict(said: Mapping[str, Any], what: Ref | str) -> ClusterError:
    causes = (said.get("details") or {}).get("causes") or []
    if not causes:
        return ClusterError(
            "cluster.conflict",
            f"{what} is no longer what it was when it was looked at",
            why=str(said.get("message", "")),
            do="look again: run the same command once more",
        )
    fields = [f"{one.get('field', '?')} {_owner(one.get('message', ''))}" for one in causes]
    more = len(fields) - CONFLICTS_SHOWN
    shown = fields[:CONFLICTS_SHOWN] + ([f"and {more} more"] if more > 0 else [])
    return ClusterError(
        "cluster.conflict",
        f"fields of {what} belong to someone else",
        why="; ".join(shown),
        do="sturdis apply --adopt    takes them over; or undo there what was changed",
    )


def _owner(message: str) -> str:
    """Take the owner out of `conflict with "kubectl-edit" using apps/v1`."""
    return f"is {message.removeprefix('conflict with ').partition(' using ')[0]}'s"


def _causes(said: Mapping[str, Any]) -> str:
    causes = (said.get("details") or {}).get("causes") or []
    told = ((one.get("field"), one.get("message", "")) for one in causes)
    return "; ".join(f"{field}: {words}" if field else words for field, words in told)


def _cause(error: Exception) -> str:
    """Give the innermost reason that says something."""
    found: BaseException | None = error
    text = ""
    while found is not None:
        if isinstance(found, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {found.verify_message}"
        text = str(found) or text
        found = found.__cause__ or found.__context__
    return text or _in_words(error)


def _in_words(error: Exception) -> str:
    if isinstance(error, httpx2.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, httpx2.TimeoutException):
        return "no answer in time"
    return type(error).__name__
