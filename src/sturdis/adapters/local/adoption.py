"""Going on with a server that an `up` which was killed left running on its data folder."""

from sturdis.adapters.local import probe
from sturdis.adapters.local.data_folder import DataFolder
from sturdis.core import address as addresses
from sturdis.core.errors import AccessError, DataError
from sturdis.core.local import UpRequest
from sturdis.core.servers import Offer, Origin


def offer(folder: DataFolder) -> Offer:
    """Give the server that runs, as the folder remembers it.

    Raises:
        DataError: `data.locked`: which one it is, is not known.
    """
    record = folder.record()
    if record is None:
        raise _not_ours(folder, "which server it is, is not known any more")
    return Offer(Origin.ADOPTED, record.server)


def place(folder: DataFolder, request: UpRequest) -> probe.Place:
    """Say where the server that runs answers, having made sure that it is the folder's.

    Raises:
        DataError: `data.locked`: it does not answer, or is another.
        AccessError: `access.denied`.
    """
    at = addresses.parse(folder.holder_address)
    found = probe.Place(at.host, at.port, folder.conf, request.password)
    try:
        reply = probe.ping(found, seconds=probe.REPLY_SECONDS)
        if reply.startswith(("-NOAUTH", "-WRONGPASS", "-ERR AUTH")):
            raise _denied(folder, reply)
        info = probe.server_info(found)
    except (OSError, ValueError) as error:
        raise _not_ours(folder, f"it does not answer at {at}: {error}") from error
    pid = info.get("process_id")
    if pid != str(folder.left_behind) or not probe.runs_with(info, folder.conf):
        raise _not_ours(folder, f"at {at} another server answers, process {pid}")
    return found


def _not_ours(folder: DataFolder, why: str) -> DataError:
    return DataError(
        "data.locked",
        f"the server that runs on {folder.path} cannot be adopted",
        why=why,
        do=f"kill {folder.left_behind}    (it writes and ends), then sturdis up",
    )


def _denied(folder: DataFolder, reply: str) -> AccessError:
    return AccessError(
        "access.denied",
        f"the server that runs on {folder.path} does not let us in",
        why=reply.removeprefix("-"),
        do="sturdis up --adopt --password-file FILE, with the password it was started with",
    )
