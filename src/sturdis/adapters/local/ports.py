"""TCP ports of this machine: whether one is free, and a free one."""

import errno
import socket

from sturdis.adapters.local import probe
from sturdis.core.errors import PortError

LOOPBACK = "127.0.0.1"


def claim(port: int, *, option: str) -> int:
    """Make sure that `port` can be listened on; 0 stands for any free one.

    Nothing keeps it free: who starts a server on it must still see that server answer.

    Raises:
        PortError: `port.taken` or `port.refused`.
    """
    if port and _accepts(port):  # on some systems a second listener on one address is let in
        raise refusal(port, OSError(errno.EADDRINUSE, ""), option=option)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
            listener.listen(1)
        except OSError as error:
            raise refusal(port, error, option=option) from error
        return int(listener.getsockname()[1])


def refusal(port: int, error: OSError, *, option: str) -> PortError:
    """Translate why `port` cannot be listened on; `option` is what chooses another."""
    if error.errno == errno.EADDRINUSE:
        return PortError(
            "port.taken",
            f"port {port} is taken",
            why=f"{_occupant(port)} listens on {LOOPBACK}:{port}",
            do=f"stop it, or choose another port with {option}",
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
