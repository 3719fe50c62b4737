"""Where drills are kept: those that come with Sturdis, and files of the user's own."""

from pathlib import Path

from sturdis.adapters.drill import yaml_file
from sturdis.core.drill import scenario_file
from sturdis.core.drill.scenario import Scenario
from sturdis.core.errors import DrillError
from sturdis.core.spec import words

FOLDER = Path(__file__).parent.parent.parent / "drills"
"""The drills that come with Sturdis, one file each, named for its drill."""


def shipped() -> tuple[Scenario, ...]:
    """Read all drills that come with Sturdis, by name.

    Raises:
        DrillError: One of them is wrong: a defect.
    """
    return tuple(_read(path) for path in sorted(FOLDER.glob("*.yaml")))


def find(named: str) -> Scenario:
    """Read the drill of this name, or the file of the user's own at this path.

    Raises:
        DrillError: `drill.unknown`, `drill.unreadable` or `drill.invalid`.
    """
    if named.endswith((".yaml", ".yml")) or "/" in named:
        return _read(Path(named))
    path = FOLDER / f"{named}.yaml"
    names = [one.stem for one in sorted(FOLDER.glob("*.yaml"))]
    if named not in names:
        raise DrillError(
            "drill.unknown",
            f"there is no drill {named!r}",
            why=words.did_you_mean(named, names),
            do="sturdis drill list    names them; the path of a file of your own ends in .yaml",
        )
    return _read(path)


def _read(path: Path) -> Scenario:
    do = "name a drill of `sturdis drill list`, or a YAML file in UTF-8"
    text = yaml_file.text(path, "drill", do=do)
    return scenario_file.read(text, source=str(path))
