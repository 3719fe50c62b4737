"""A folder that holds a rendered tree: what is in it, and writing it."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from sturdis.adapters import report_file
from sturdis.core.errors import OutputError
from sturdis.core.render.writing import FileChange


class TreeFolder:
    """The folder `root`; it need not be there yet."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, paths: Iterable[str]) -> dict[str, str]:
        """Give the text of each file that is there.

        Raises:
            OutputError: `output.file`: one of them cannot be read, or is no file.
        """
        found = {}
        for path in paths:
            place = self._root / path
            try:
                found[path] = place.read_bytes().decode(errors="surrogateescape")
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise _refused(place, "read", error) from error
        return found

    def change(self, one: FileChange) -> None:
        """Make one file as planned: whole or not at all.

        Raises:
            OutputError: `output.file`.
        """
        place = self._root / one.path
        try:
            if one.new is None:
                place.unlink(missing_ok=True)
                with suppress(OSError):  # it holds more
                    place.parent.rmdir()
                return
            place.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _refused(place, "written", error) from error
        report_file.write(str(place), one.new)


def _refused(place: Path, what: str, error: OSError) -> OutputError:
    return OutputError(
        "output.file",
        f"the file {str(place)!r} could not be {what}",
        why=error.strerror or str(error),
        do="mend that, or name another folder with -o DIR",
    )
