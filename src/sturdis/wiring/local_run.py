"""`up`, joined with this machine."""

from collections.abc import Callable

from sturdis.core import local
from sturdis.core import spec as specs
from sturdis.core.aim import PASSWORD_VARIABLE, TARGET_VARIABLE
from sturdis.core.errors import PortError
from sturdis.core.local import Serving, UpRequest
from sturdis.core.notices import Notice, Ready
from sturdis.core.supervision import limits
from sturdis.core.supervision.limits import Limits

FREE_PORT_ATTEMPTS = 3
"""How often a start is tried when another program takes a port that was found free."""


def up(request: UpRequest, tell: Callable[[Notice], None]) -> int:
    """Run the deployment on this machine until it is told to stop or its command ends.

    Args:
        request: What to run.
        tell: Called with all that people should know of, as it happens: `notices.Ready` once, when
            the server serves.

    Returns:
        The command's exit status, or 0 without a command.

    Raises:
        UsageError: It would listen beyond this machine without a password.
        SturdisError: Of the families server, data, port, access and command.
    """
    local.refuse_open(request)
    for _attempt in range(FREE_PORT_ATTEMPTS - 1):
        try:
            return _up_once(request, tell)
        except PortError as error:
            if error.code != "port.lost":
                raise
    return _up_once(request, tell)


def _up_once(request: UpRequest, tell: Callable[[Notice], None]) -> int:
    from sturdis.adapters.local import deployment
    from sturdis.flows import up as flow

    with deployment.prepare(request) as ready:
        budget = limits.start_budget(specs.maxmemory(request.spec))
        run = flow.Run(Limits(start=budget), request.command, _environment(request, ready.planned))
        return flow.run(ready.host, run, lambda: Ready(ready.announce()), tell)


def _environment(request: UpRequest, serving: Serving) -> dict[str, str]:
    """Give what the command finds in its environment, beside our own."""
    found = {"REDIS_URL": serving.url_with(request.password), TARGET_VARIABLE: serving.url}
    return found if request.password is None else found | {PASSWORD_VARIABLE: request.password}
