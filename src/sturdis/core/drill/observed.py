"""What a drill saw beside its ledger, as named figures, and what its file expected of them."""

from collections.abc import Mapping
from math import isnan

import msgspec

from sturdis.core.report import Verdict

Figures = Mapping[str, float | None]
"""Name to figure: a count, seconds, or 1 and 0 for yes and no. None: it could not be seen."""


class Expectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one figure has to be: all that is said must hold.

    Raises:
        ValueError: Each figure would do, or none; msgspec names the place in the file.
    """

    equals: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    of: str = ""
    """Name of the figure that this one is a part of, where it is one: it is told beside it."""

    def __post_init__(self) -> None:
        """Refuse what says nothing, and what nothing can be."""
        limits = [one for one in (self.equals, self.at_least, self.at_most) if one is not None]
        if not limits:
            raise ValueError(
                "it must be: `equals`, `at_least` or `at_most`, else any figure passes"
            )
        if any(isnan(one) for one in limits):
            raise ValueError("it must be: numbers")
        if not any(self.holds(one) for one in limits):
            raise ValueError(f"it must be: what a figure can be, not {self}")

    def __str__(self) -> str:
        """Say it as people do: `at least 1 and at most 3`."""
        said = (("", self.equals), ("at least ", self.at_least), ("at most ", self.at_most))
        return " and ".join(f"{word}{limit:g}" for word, limit in said if limit is not None)

    def holds(self, figure: float) -> bool:
        """Tell whether `figure` is as expected."""
        return (
            (self.equals is None or figure == self.equals)
            and (self.at_least is None or figure >= self.at_least)
            and (self.at_most is None or figure <= self.at_most)
        )


def judge(figures: Figures, expected: Mapping[str, Expectation]) -> list[tuple[Verdict, str]]:
    """Hold the figures against what was expected: one verdict, with its reason, for each.

    A figure that was not seen is unknown: never a pass.
    """
    found: list[tuple[Verdict, str]] = []
    for name, expectation in expected.items():
        figure = figures.get(name)
        if figure is None:
            found.append((Verdict.UNKNOWN, f"{name} was not seen; expected {expectation}"))
            continue
        seen = f"{name} {figure:g}{_of(expectation.of, figures)}"
        if expectation.holds(figure):
            found.append((Verdict.PASS, f"{seen}, as expected: {expectation}"))
        else:
            found.append((Verdict.FAIL, f"{seen}; expected {expectation}"))
    return found


def _of(name: str, figures: Figures) -> str:
    """Say what a figure is a part of: ` of 88 cuts`."""
    whole = figures.get(name)
    return "" if whole is None else f" of {whole:g} {name}"
