"""TCP ports of this machine: whether one is free, and a free one."""

import errno
import socket

from sturdis.adapters.local import probe
from sturdis.core.errors import PortError

LOOPBACK = "127.0.0.1"

LOOPBACK_NAMES = ("127.0.0.1", "localhost")
EVERYWHERE = ("0.0.0.0",)  # noqa: S104  what a user may ask for, with a password
"""Addresses that stand for all of this machine's."""


def claim(port: int, *, option: str, beside: str | None = None) -> int:
    """Make sure that `port` can be listened on; 0 stands for any free one.

    Nothing keeps it free: who starts a server on it must still see that server answer.

    Args:
        port: On loopback, and at the address `beside`.
        option: What chooses another.
        beside: An address of this machine, or None.

    Raises:
        PortError: `port.taken` or `port.refused`.
    """
    if port and _accepts(port):  # on some systems a second listener on one address is let in
        raise refusal(port, OSError(errno.EADDRINUSE, ""), option=option)
    for address in listening(beside):
        port = _listened(address, port, option)
    return port


def _listened(address: str, port: int, option: str) -> int:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
            listener.listen(1)
        except OSError as error:
            raise refusal(port, error, option=option, address=address) from error
        return int(listener.getsockname()[1])


def listening(bind: str | None) -> tuple[str, ...]:
    """Give the addresses that a server listens on: loopback, and `bind` where it is another."""
    if bind is None or bind in LOOPBACK_NAMES:
        return (LOOPBACK,)
    return (bind,) if bind in EVERYWHERE else (LOOPBACK, bind)


def shown(bind: str | None) -> str:
    """Give the address that clients are told: `bind`, or loopback where that means every one."""
    return LOOPBACK if bind is None or bind in (*EVERYWHERE, *LOOPBACK_NAMES) else bind


def refusal(port: int, error: OSError, *, option: str, address: str = LOOPBACK) -> PortError:
    """Translate why `port` cannot be listened on; `option` is what chooses another."""
    if error.errno == errno.EADDRINUSE:
        return PortError(
            "port.taken",
            f"port {port} is taken",
            why=f"{_occupant(port)} listens on {address}:{port}",
            do=f"stop it, or choose another port with {option}",
        )
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return PortError(
            "port.refused",
            f"{address} cannot be listened on",
            why="it is no address of this machine",
            do="sturdis up --bind ADDRESS, with one that `ip address` or ifconfig shows",
        )
    return PortError(
        "port.refused",
        f"port {port} cannot be listened on",
        why=error.strerror or str(error),
        do=f"choose another port with {option}",
    )


def _accepts(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def _occupant(port: int) -> str:
    try:
        reply = probe.ask(LOOPBACK, port, seconds=0.5)
    except OSError:
        return "another program"
    is_redis = reply.startswith(("+PONG", "-NOAUTH", "-LOADING", "-MISCONF", "-DENIED"))
    return "a Redis or Valkey" if is_redis else "another program"
