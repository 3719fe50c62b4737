"""What a verb is aimed at: the target that was named, else STURDIS_TARGET, else a running `up`."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sturdis.core import address as addresses
from sturdis.core.address import NO_FILES, Address, Tls
from sturdis.core.errors import TargetError, UsageError
from sturdis.core.local import Running

PASSWORD_VARIABLE = "REDISCLI_AUTH"  # noqa: S105  its name, not its value
"""Holds the password where nothing else gives one; redis-cli reads the same."""

TARGET_VARIABLE = "STURDIS_TARGET"
"""Holds the target where none is named; `up` sets it for the command it runs."""


@dataclass(frozen=True)
class TargetRequest:
    """What a verb is asked to work on."""

    address: str | None = None
    """As people write it; None: STURDIS_TARGET, else the running `up`."""
    password: str | None = field(default=None, repr=False)
    """None: the one in the address, else that in REDISCLI_AUTH."""
    password_file: str | None = None
    """Where `password` was read, to say how the target is reached again."""
    tls: Tls = NO_FILES
    """The files of a rediss:// address."""
    naming: str = "sturdis verify"
    """What to type before an address to name it to this verb."""


@dataclass(frozen=True)
class Aim:
    """What a verb is aimed at: an address, and the `up` that serves it where it is one of ours."""

    address: Address
    running: Running | None
    cli: str
    """What to type before a Redis command to reach it again; it never holds a password."""


def choose(request: TargetRequest, environ: Mapping[str, str], found: Sequence[Running]) -> Aim:
    """Choose what is meant, with the password and the TLS files that were given for it.

    Among several `up`, the one that is not ephemeral is meant.

    Raises:
        UsageError: `usage.address`; `usage` where the options do not fit the address.
        TargetError: `target.none` or `target.ambiguous`.
    """
    named = environ.get(TARGET_VARIABLE) if request.address is None else request.address
    running: Running | None
    if named is None:
        running = _only(found, request.naming)
        address = Address(running.at.host, running.at.port)
    else:
        address = addresses.parse(named)
        running = next((one for one in found if address.reaches(one.at.host, one.at.port)), None)
    cli = _cli(request, address)
    return Aim(_with_password(_with_tls(address, request.tls), request, environ), running, cli)


def _with_tls(address: Address, tls: Tls) -> Address:
    if tls == NO_FILES:
        return address
    if address.tls is None:
        raise UsageError(
            "usage",
            f"the files of --tls-… have no use at {address}",
            why="it is spoken to without TLS",
            do="name it as rediss://HOST:PORT, or leave the options out",
        )
    if tls.key is not None and tls.cert is None:
        raise UsageError(
            "usage",
            "--tls-key is without --tls-cert",
            why="a key is shown together with its certificate only",
            do="give --tls-cert FILE as well",
        )
    return replace(address, tls=tls)


def _with_password(address: Address, request: TargetRequest, environ: Mapping[str, str]) -> Address:
    if request.password is None:
        at_hand = environ.get(PASSWORD_VARIABLE)
        if address.password is not None or not at_hand:
            return address
        return replace(address, password=at_hand, password_offered=True)
    if address.password is not None:
        raise UsageError(
            "usage",
            "two passwords are given",
            why="one in the address, one with --password-file",
            do="take the password out of the address",
        )
    return replace(address, password=request.password)


def _cli(request: TargetRequest, address: Address) -> str:
    words = ["sturdis", "cli"]
    password_file = request.password_file
    if request.address is not None:
        words += ["--target", str(address)]
        if address.password is not None:
            password_file = "-"  # noqa: S105  asks for it
    options = {
        "--password-file": password_file,
        "--tls-ca": request.tls.ca,
        "--tls-cert": request.tls.cert,
        "--tls-key": request.tls.key,
    }
    for option, value in options.items():
        words += [option, value] if value is not None else []
    return shlex.join(words)


def _only(found: Sequence[Running], naming: str) -> Running:
    lasting = [one for one in found if not one.at.ephemeral]
    for some in (lasting, found):
        if len(some) == 1:
            return some[0]
    if not found:
        raise TargetError(
            "target.none",
            "no running `up` was found",
            why="none of this user's runs on this machine, and no target was named",
            do="sturdis up    (in another terminal), or name redis://HOST:PORT",
        )
    shown = ", ".join(one.at.url for one in found)
    raise TargetError(
        "target.ambiguous",
        f"{len(found)} `up` are running and none was named",
        why=f"they serve {shown}",
        do=f"name one: {naming} {found[0].at.url}",
    )
