"""What container `redis` runs: the guard, the users' file, and then the server itself.

The guard is that of core/aof, in POSIX sh with the image's own programs. docs/adr/0032.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sturdis.core import servers
from sturdis.core.aof import guard, rdb
from sturdis.core.aof.scan import Tail
from sturdis.core.errors import FAMILIES
from sturdis.core.render import acl, metadata
from sturdis.core.render.scripts.access import ACCESS
from sturdis.core.render.scripts.guard import GUARD, REFUSE, START
from sturdis.core.render.scripts.manifest import FOLDER
from sturdis.core.render.scripts.scan import JUDGE
from sturdis.core.spec import Spec

REFUSALS = (
    "access.no_password",
    "data.corrupt",
    "data.long_tail",
    "data.manifest",
    "data.missing_file",
    "data.newer_server",
    "data.not_writable",
    "data.rdb_only",
    "data.single_file",
    "data.torn_earlier",
    "server.missing",
    "server.too_old",
    "server.unknown",
)
"""Codes of core/errors.CODES that the script ends with, each with its family's exit status."""

ANNOTATION_BYTES = 1024
"""Most bytes of an annotation that servers, and their checker, read at once."""


@dataclass(frozen=True)
class Paths:
    """Where the script finds things: in a pod, fixed."""

    data: str = metadata.DATA_FOLDER
    conf: str = f"{metadata.CONFIG_FOLDER}/redis.conf"
    users: str = f"{metadata.RUN_FOLDER}/users.acl"
    """Composed at each start where there are passwords."""


IN_A_POD = Paths()


def start_script(spec: Spec, paths: Paths = IN_A_POD) -> str:
    """Give the text of `start.sh`, POSIX sh, the same bytes for the same values.

    It ends as the server, which then is the process that the container was started as; or with
    `error[code]`, why and do on standard error, a code of `REFUSALS`, and its exit status.
    """
    with_users = spec.access.password_secret is not None
    head = (
        "# Written by sturdis; edit the spec, not this file.\n"
        "# Before each start of the server: cuts off what an interrupted write left at the end\n"
        "# of the append-only file and keeps it beside, or refuses to start: docs/adr/0032.\n"
        "set -eu\n\n"
    )
    assigned = "".join(f"{name}={_quoted(value)}\n" for name, value in _values(spec, paths))
    users = f"{ACCESS}{_write_acl()}" if with_users else ""
    return f"{head}{assigned}{REFUSE}{users}{FOLDER}{JUDGE}{GUARD}{START}"


def _values(spec: Spec, paths: Paths) -> Iterator[tuple[str, str]]:
    parts = f"{paths.data}/{guard.FOLDER}"
    secret = spec.access.password_secret
    yield "data", paths.data
    yield "parts", parts
    yield "manifest", f"{parts}/{guard.MANIFEST}"
    yield "conf", paths.conf
    yield "acl_file", paths.users if secret else ""
    if secret:
        yield "secret", secret
    yield "single_file", guard.SINGLE_FILE
    yield "snapshot", guard.SNAPSHOT
    yield "cut_folder", guard.CUT_FOLDER
    yield "max_cut", str(guard.MAX_CUT)
    yield "annotation_bytes", str(ANNOTATION_BYTES)
    yield "head_bytes", str(rdb.HEAD_BYTES)
    for tail in (Tail.NULS, Tail.OPEN_TRANSACTION, Tail.TORN_COMMAND):
        yield f"tail_{tail.name.lower()}", tail.value
    yield "oldest_release", str(_number(servers.OLDEST[:2]))
    yield "rdb_of_releases", " ".join(_rdb_of_releases())
    yield "newest_shared_rdb", str(servers.NEWEST_SHARED_RDB)
    yield "exit_statuses", " ".join(_exit_statuses())
    yield "offline", _offline(spec)
    yield "repair", "sturdis repair (docs/repair.md, on Kubernetes)"


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"


def _rdb_of_releases() -> Iterator[str]:
    """Give product, release and newest RDB version, in the order of the releases."""
    for product, releases in servers.NEWEST_RDB.items():
        for release, newest in releases:
            yield f"{product} {_number(release)} {newest}"


def _number(release: tuple[int, ...]) -> int:
    major, minor = release
    return major * 1000 + minor


def _exit_statuses() -> Iterator[str]:
    for family in sorted({code.partition(".")[0] for code in REFUSALS}):
        yield f"{family}={FAMILIES[family].exit_status}"


def _offline(spec: Spec) -> str:
    return (
        f"kubectl -n {spec.namespace} scale statefulset {spec.name} --replicas 0, mount its claim "
        f"data-{spec.name}-0 in a pod of your own, and scale to 1 afterwards"
    )


def _write_acl() -> str:
    users = "".join(
        f"  add_user {user.name} \"${{{user.variable}:-}}\" '{' '.join(user.rules)}'\n"
        for user in acl.USERS
    )
    return f'\nwrite_acl() {{\n  umask 077\n  : > "$acl_file"\n{users}}}\n'
