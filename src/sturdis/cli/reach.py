"""Options that name a target and say how to reach it: an address, or a deployment in a cluster."""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from sturdis import wiring
from sturdis.cli.options import CONTEXT, Command
from sturdis.cli.output import Output
from sturdis.core import address as addresses
from sturdis.core.address import NO_FILES, Tls
from sturdis.core.aim import PASSWORD_VARIABLE, TargetRequest
from sturdis.core.cluster_aim import ClusterRequest
from sturdis.core.errors import UsageError


@dataclass(frozen=True)
class Reach:
    """How a target is reached beside its address, as it was typed."""

    password_file: str | None
    tls: Tls

    def request(self, output: Output, address: str | None, *, naming: str) -> TargetRequest:
        """Say what a verb is asked to work on; warn where others can see the password.

        Args:
            output: Where warnings go.
            address: As it was typed; None: it was not.
            naming: What to type before an address to name it to the verb.

        Raises:
            UsageError: `usage.address`.
            AccessError: `access.unreadable`.
        """
        if address is not None and addresses.parse(address).password is not None:
            output.warning(
                "the password in the address is shown to every user of this machine who lists its"
                f" processes; give it with {PASSWORD_VARIABLE} or --password-file FILE"
            )
        password = self._password(output)
        return TargetRequest(address, password, self.password_file, self.tls, naming)

    def _password(self, output: Output) -> str | None:
        if self.password_file is None:
            return None
        read = wiring.read_password(self.password_file)
        if read.readable_by_all:
            output.warning(
                f"every user of this machine can read the password in {self.password_file};"
                " chmod o-r mends it"
            )
        return read.password

    def anywhere(
        self,
        output: Output,
        address: str | None,
        where: "Where",
        spec: "SpecChoice",
        *,
        naming: str,
    ) -> TargetRequest | ClusterRequest:
        """Say what a verb is asked to work on: an address, or a deployment in a cluster.

        Raises:
            UsageError: `usage.address`; `usage`: options that do not go together.
            AccessError: `access.unreadable`.
        """
        if where.names_a_cluster(address):
            return self._in_cluster(output, where, spec)
        return self.request(output, address, naming=naming)

    def _in_cluster(self, output: Output, where: "Where", spec: "SpecChoice") -> ClusterRequest:
        if self.tls != NO_FILES:
            raise UsageError(
                "usage",
                "the files of --tls-… have no use with --context",
                why="the way through the API server is secured by the kubeconfig",
                do="leave them out",
            )
        return ClusterRequest(
            where.context,
            where.namespace,
            None if spec.file is None else str(spec.file),
            spec.environment,
            self._password(output),
            self.password_file,
        )


@dataclass(frozen=True)
class SpecChoice:
    """Which spec is meant, as it was typed."""

    file: Path | None
    environment: str | None


@dataclass(frozen=True)
class Where:
    """Where in which cluster, as it was typed."""

    context: str | None
    namespace: str | None

    def names_a_cluster(self, target: str | None) -> bool:
        """Tell whether a cluster is meant, and not an address.

        Raises:
            UsageError: `usage`: both are named, or a namespace alone.
        """
        if self.context is not None and target is not None:
            raise UsageError(
                "usage",
                "two targets are named",
                why="one by its address, one with --context",
                do="leave one of them out",
            )
        if self.context is None and self.namespace is not None:
            raise UsageError(
                "usage",
                "-n is without --context",
                why="a namespace is part of a cluster, and none is named",
                do="add --context CONTEXT; kubectl config get-contexts    lists them",
            )
        return self.context is not None


def cluster_options(command: Command) -> Command:
    """Give a command `--context` and `-n`, which it takes as `where`."""

    @functools.wraps(command)
    def gathered(
        *arguments: Any, context: str | None, namespace: str | None, **options: Any
    ) -> Any:
        return command(*arguments, where=Where(context, namespace), **options)

    context = click.option(
        "--context",
        type=CONTEXT,
        metavar="CONTEXT",
        help="Look in the cluster of this context of kubectl.",
    )
    namespace = click.option(
        "-n", "--namespace", metavar="NAMESPACE", help="Where in it; default: as the spec says."
    )
    return context(namespace(gathered))  # type: ignore[return-value]


REACH_OPTIONS = (
    click.option(
        "--password-file",
        metavar="FILE",
        help=f"Read the password here; `-` asks for it. Default: {PASSWORD_VARIABLE}.",
    ),
    click.option("--tls-ca", metavar="FILE", help="Trust these authorities as well (PEM)."),
    click.option("--tls-cert", metavar="FILE", help="Show this certificate to the server (PEM)."),
    click.option("--tls-key", metavar="FILE", help="The certificate's key (PEM)."),
)


def reach_options(command: Command) -> Command:
    """Give a command the options of `Reach`, which it takes as `reach`."""

    @functools.wraps(command)
    def gathered(
        *arguments: Any,
        password_file: str | None,
        tls_ca: str | None,
        tls_cert: str | None,
        tls_key: str | None,
        **options: Any,
    ) -> Any:
        reach = Reach(password_file, Tls(tls_ca, tls_cert, tls_key))
        return command(*arguments, reach=reach, **options)

    return functools.reduce(lambda inner, option: option(inner), reversed(REACH_OPTIONS), gathered)  # type: ignore[return-value]
