"""Every way Sturdis refuses or fails, as one table and a few exception classes.

A failing check is not here: that is a finding (`report.Finding`). An exception means that the
command could not do what was asked. Each carries a code of `CODES`, what happened, why, and what
to type next; `cli.main` alone prints it. docs/exit-codes.md is held against this table by a test.
"""

from collections.abc import Mapping
from typing import ClassVar

OK = 0
CHECK_FAILED = 1
USAGE = 2
UNDETERMINED = 3
COMMAND_NOT_FOUND = 127  # what a shell, env(1) and timeout(1) answer
BUG = 70  # EX_SOFTWARE of sysexits.h
INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it

CODES: Mapping[str, str] = {
    "usage": "the command line is not understood",
    "usage.address": "a target is not an address that Sturdis understands",
    "usage.not_agreed": "what a command would change was not agreed to",
    "usage.tls": "a certificate, key or authority for TLS cannot be used",
    "spec.invalid": "the spec has problems; each is named with its line",
    "spec.unreadable": "the spec file cannot be read",
    "spec.no_repository": "no Git repository for Argo CD is named or found",
    "spec.work_tree": "Git does not tell of the work tree that is rendered into",
    "server.missing": "no server to run: not found, or not the one the data was written with",
    "server.unknown": "a program was named that is neither Redis nor Valkey",
    "server.too_old": "the server lacks the multi-part append-only file (Redis before 7.0)",
    "server.not_ready": "the server did not answer PONG within its start budget",
    "server.exited": "the server ended by itself",
    "data.locked": "another `up`, or the server it left behind, uses the folder",
    "data.not_writable": "the data folder cannot be made or written",
    "data.foreign": "the folder holds files that neither Sturdis nor a Redis wrote",
    "data.unknown_server": "an append-only file is there, but not which server wrote it",
    "data.newer_server": "the data was written by a server that the chosen one cannot read after",
    "data.rdb_only": "the folder holds a snapshot and no append-only file: it would load as empty",
    "data.single_file": "the append-only file is one file, as Redis before 7.0 wrote it",
    "data.manifest": "the append-only file's manifest is missing or cannot be read",
    "data.missing_file": "a file that the manifest names is missing",
    "data.corrupt": "the append-only file is damaged where no interrupted write explains it",
    "data.torn_earlier": "a file other than the last breaks off, which no server loads",
    "data.long_tail": "more than 1 MiB follows the last complete command: too much to cut unasked",
    "data.changed": "the append-only file was replaced or changed while it was copied or repaired",
    "data.not_empty": "the folder to copy to holds something already",
    "data.no_folder": "the folder to repair is not there, or is a file",
    "data.no_aof": "the folder to repair holds no append-only file",
    "data.not_readable": "the folder to repair cannot be read",
    "data.no_room": "the disk has no room for a copy of the folder, or for proving a repair",
    "data.not_proven": "no server loads what a repair would leave",
    "port.taken": "something listens on the port already",
    "port.lost": "another program took the port between finding it free and the server's start",
    "port.refused": "the system does not let this user listen on the port",
    "target.none": "no running `up` was found and no target was named",
    "target.ambiguous": "several `up` run and none was named",
    "target.unreachable": "nothing accepts connections at the address",
    "target.tls": "the TLS connection was not made: who it is, or what the other side speaks",
    "target.silent": "the address accepts connections but does not answer as Redis",
    "target.sentinel": "the address is a Sentinel's, which keeps no data",
    "target.refused": "the server refused to open the connection: its database, or an ACL",
    "target.lost": "the connection broke while a reply was awaited",
    "target.no_aof": "the target keeps no append-only file",
    "target.files_elsewhere": "the target's files are not here, or not for this user to read",
    "target.not_allowed": "the target does not allow a command that is needed",
    "target.rewrite_failed": "the target did not rewrite its append-only file",
    "target.not_healed": "the target still refuses writes; why, and what was left alone, is told",
    "access.denied": "the server refused the user name or password",
    "access.unreadable": "the file that should hold the password cannot be read",
    "access.no_password": "a user that the deployment needs has an empty password",
    "output.lost": "what was printed could not be written",
    "drill.log_lost": "the ledger's log cannot be written or read",
    "drill.log_damaged": "a log, the undo journal or the record of a drill is damaged",
    "drill.load_failed": "a process that makes load did not start, or ended by itself",
    "drill.not_ours": "a drill was aimed at a server that no `up` of this machine runs",
    "drill.not_served": "after a fault the server did not serve again in time",
    "drill.not_marked": "a drill was aimed at what is not marked for drills",
    "drill.unknown": "there is no drill of that name",
    "drill.unreadable": "the file of a drill cannot be read",
    "drill.invalid": "the file of a drill has problems; each is named with its line",
    "drill.running": "another drill is running",
    "drill.left_behind": "an earlier drill was killed, and what it did is not undone",
    "drill.cut_too_far": "the guard took more than what was torn",
    "drill.not_undone": "what a drill did could not be undone",
    "drill.lacking": "this machine does not give what a drill needs",
    "drill.hook_failed": "a command that `--hooks` names failed, or could not be started",
    "drill.no_run": "there is no such run of a drill to report",
    "output.file": "a file that was asked for could not be written",
    "machine.exhausted": "the system gave no more memory, threads, processes or open files",
    "machine.socket": "no socket could be made in a folder for temporary files",
    "command.not_found": "the command after `--` cannot be started",
    "cluster.none": "no cluster is named: no kubeconfig, or no current context in it",
    "cluster.unknown_context": "the kubeconfig has no such context",
    "cluster.kubeconfig": "the kubeconfig, or what it asks to log in with, cannot be used",
    "cluster.unreachable": "the cluster's API server is not reached",
    "cluster.lost": "the connection to the API server broke, or its answer did not come in time",
    "cluster.denied": "the API server does not know the user of the context",
    "cluster.forbidden": "the user of the context may not do what is needed; what is named",
    "cluster.refused": "the API server refused an object or a request; its words are given",
    "cluster.node": "a node is not as it was said to be: not there, not off, or not back",
    "cluster.no_pod": "the pod of the deployment is not in the cluster",
    "cluster.not_found": "what is to be changed is not in the cluster",
    "cluster.conflict": "fields of an object belong to someone else, or it changed meanwhile",
    "cluster.too_old": "the API server is older than what is applied needs",
    "cluster.foreign": "an object of that name is there and was not applied by Sturdis",
    "cluster.gitops": "Argo CD or Flux keeps the objects as they are in Git",
    "cluster.claim": "the volume claim has another size, class or name than the spec asks for",
    "cluster.storage_class": "the cluster has no StorageClass of that name",
    "cluster.not_grown": "the volume cannot grow, or did not in time; why is told",
    "cluster.secret": "the Secret of `access.passwordSecret` is missing, or lacks a key",
    "cluster.not_serving": "what was applied does not serve; what stands in its way is told",
}
"""Code to meaning. The part before the dot names the family, which decides the exit status."""


class SturdisError(Exception):
    """What the user meets when a command cannot do what was asked.

    Args:
        code: A key of `CODES`.
        what: One line: what happened.
        why: One line: the cause, with the evidence.
        do: One line: what to type next.
    """

    exit_status: ClassVar[int] = BUG

    def __init__(self, code: str, what: str, *, why: str, do: str) -> None:
        if code not in CODES or not isinstance(self, FAMILIES[code.partition(".")[0]]):
            raise ValueError(f"no error code of {type(self).__name__}: {code}")
        super().__init__(what)
        self.code = code
        self.what = what
        self.why = why
        self.do = do


class UsageError(SturdisError):
    """The command line or an address in it."""

    exit_status = USAGE


class SpecError(SturdisError):
    """The spec file."""

    exit_status = USAGE


class ServerError(SturdisError):
    """Finding, starting or keeping the server."""

    exit_status = 10


class DataError(SturdisError):
    """The data folder."""

    exit_status = 11


class PortError(SturdisError):
    """The addresses that `up` listens on."""

    exit_status = 12


class TargetError(SturdisError):
    """Reaching the Redis that a verb is aimed at."""

    exit_status = 13


class AccessError(SturdisError):
    """Being let in by it."""

    exit_status = 14


class OutputError(SturdisError):
    """Printing the answer."""

    exit_status = 15


class DrillError(SturdisError):
    """A drill that could not be carried out; what it found is a verdict, not an error."""

    exit_status = 16


class MachineError(SturdisError):
    """What the system gives this program to run with."""

    exit_status = 17


class CommandError(SturdisError):
    """The command that `up` was asked to run."""

    exit_status = COMMAND_NOT_FOUND


class ClusterError(SturdisError):
    """A Kubernetes cluster: reaching it, and what it refuses or does not bring to serve."""

    exit_status = 18


FAMILIES: Mapping[str, type[SturdisError]] = {
    "usage": UsageError,
    "spec": SpecError,
    "server": ServerError,
    "data": DataError,
    "port": PortError,
    "target": TargetError,
    "access": AccessError,
    "output": OutputError,
    "drill": DrillError,
    "machine": MachineError,
    "command": CommandError,
    "cluster": ClusterError,
}
"""First part of a code to the class that raises it."""
