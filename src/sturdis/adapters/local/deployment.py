"""The deployment on this machine, made ready to start: folder, server, ports, configuration."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import platformdirs

from sturdis.adapters.local import (
    adoption,
    binaries,
    data_folder,
    ports,
    probe,
    running,
    signals,
)
from sturdis.adapters.local.data_folder import DataFolder
from sturdis.adapters.local.host import LocalHost
from sturdis.adapters.metrics_http import MetricsServer
from sturdis.adapters.redis.metrics_source import MetricsSource
from sturdis.core import servers
from sturdis.core.address import Address
from sturdis.core.errors import CommandError
from sturdis.core.local import Running, Serving, UpRequest
from sturdis.core.ports import REDIS_PORT
from sturdis.core.render import redis_conf
from sturdis.core.servers import Offer, Record


@dataclass(frozen=True)
class Deployment:
    """All that a start needs, claimed and written; `announce` tells that the server answers."""

    host: LocalHost
    planned: Serving
    request: UpRequest
    folder: DataFolder
    offer: Offer
    stack: ExitStack

    def announce(self) -> Serving:
        """Remember the server with its data, let other verbs find it, say how to reach it."""
        _remember(self.folder, self.offer)
        entry = Running(self.planned, self.request.spec)
        try:
            self.stack.enter_context(running.announced(entry))
        except OSError as error:
            note = f"other verbs need the address: {running.folder()}: {error.strerror}"
            return replace(self.planned, note=note)
        return self.planned


@contextmanager
def prepare(request: UpRequest) -> Iterator[Deployment]:
    """Make ready what `request` asks for, and give everything back when the context ends.

    Raises:
        DataError: The folder cannot be used, or not with this server.
        ServerError: There is no server to run.
        PortError: A port cannot be listened on.
        AccessError: An adopted server wants another password.
        CommandError: There is no such command.
    """
    _require_command(request)
    with signals.unwinding(), ExitStack() as stack:
        folder = stack.enter_context(closing(_open_folder(request)))
        offer = _choose(request, folder)
        metrics = stack.enter_context(closing(_listen_for_metrics(request)))
        place = _place(request, folder)
        source = stack.enter_context(closing(MetricsSource(_address(place))))
        metrics.serve(source.read)
        planned = _plan(request, folder, offer, place.port, metrics.port)
        stack.callback(signals.ignore)
        yield Deployment(
            LocalHost(offer.server, folder, place), planned, request, folder, offer, stack
        )


def _place(request: UpRequest, folder: DataFolder) -> probe.Place:
    """Say where the server will answer, and write its redis.conf, unless it is there already."""
    if folder.left_behind is not None:
        return adoption.place(folder, request)
    port = _claim_redis_port(request)
    listening = " ".join(ports.listening(request.bind))
    place = redis_conf.Place(str(folder.path), listening, port, request.password)
    folder.write_conf(redis_conf.redis_conf(request.spec, place))
    return probe.Place(ports.LOOPBACK, port, folder.conf, request.password)


def _address(place: probe.Place) -> Address:
    return Address(place.host, place.port, password=place.password)


def _require_command(request: UpRequest) -> None:
    if request.command and shutil.which(request.command[0]) is None:
        raise CommandError(
            "command.not_found",
            f"there is no command {request.command[0]}",
            why="it is neither on PATH nor the path of a program",
            do="sturdis up -- COMMAND, with a command that this shell would find",
        )


def _open_folder(request: UpRequest) -> DataFolder:
    if request.ephemeral:
        return data_folder.open_temporary()
    usual = platformdirs.user_data_path("sturdis") / request.spec.name
    path = usual if request.data is None else Path(request.data).absolute()
    return data_folder.open_folder(path, adopt=request.adopt)


def _choose(request: UpRequest, folder: DataFolder) -> Offer:
    if folder.left_behind is not None:
        return adoption.offer(folder)
    data_folder.require_named_server(folder, request.server)
    record = None if folder.fresh else folder.record()  # without data any server may come
    offer = servers.choose(binaries.offers(request.server, record))
    if folder.fresh:
        _remember(folder, offer)
    else:
        servers.refuse_unreadable(offer.server, record)
    return offer


def _remember(folder: DataFolder, offer: Offer) -> None:
    folder.remember(Record(offer.server, embedded=binaries.is_embedded(offer.server)))


def _claim_redis_port(request: UpRequest) -> int:
    usual = 0 if request.ephemeral else REDIS_PORT
    wanted = usual if request.port is None else request.port
    return ports.claim(wanted, option="--port", beside=request.bind)


def _plan(
    request: UpRequest, folder: DataFolder, offer: Offer, port: int, metrics_port: int
) -> Serving:
    return Serving(
        host=ports.shown(request.bind),
        port=port,
        metrics_url=f"http://{ports.LOOPBACK}:{metrics_port}/metrics",
        data=os.fsencode(folder.path).decode(errors="replace"),  # told to people, in UTF-8
        ephemeral=request.ephemeral,
        server=str(offer.server),
        server_path=offer.server.path,
        chosen=offer.origin.value,
        tested=offer.server.tested,
        password_required=request.password is not None,
        drills=request.drills,
    )


def _listen_for_metrics(request: UpRequest) -> MetricsServer:
    usual = 0 if request.ephemeral else request.spec.monitoring.exporter.port
    wanted = usual if request.metrics_port is None else request.metrics_port
    try:
        return MetricsServer(ports.LOOPBACK, wanted)
    except OSError as error:
        raise ports.refusal(wanted, error, option="--metrics-port") from error
