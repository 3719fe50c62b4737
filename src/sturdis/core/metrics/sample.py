"""A metric, and a value of it."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["gauge", "counter"]


@dataclass(frozen=True)
class Metric:
    """A metric: its name, kind, help, and the names of its labels."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()

    def __call__(self, value: float, *labels: str) -> "Sample":
        """Give a value of it, with the values of its labels in their order."""
        return Sample(self, value, labels)


@dataclass(frozen=True)
class Sample:
    """A value of a metric, with the values of its labels."""

    metric: Metric
    value: float
    labels: tuple[str, ...] = ()
