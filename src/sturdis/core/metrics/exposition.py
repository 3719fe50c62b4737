"""The text format of Prometheus, version 0.0.4."""

from collections.abc import Iterable

from sturdis.core.metrics.sample import Metric, Sample

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

LARGEST_WHOLE = 2.0**53
"""Up to here every whole number is a float of its own and is written with all its digits."""


def exposition(samples: Iterable[Sample]) -> bytes:
    """Write samples, those of one metric together; whole numbers as redis_exporter does: 1."""
    families: dict[Metric, list[str]] = {}
    for sample in samples:
        families.setdefault(sample.metric, []).append(_line(sample))
    lines = []
    for metric, of_metric in families.items():
        lines += [f"# HELP {metric.name} {_escaped(metric.help)}"]
        lines += [f"# TYPE {metric.name} {metric.kind}", *of_metric]
    return "".join(f"{line}\n" for line in lines).encode(errors="replace")


def _line(sample: Sample) -> str:
    pairs = zip(sample.metric.labels, sample.labels, strict=True)
    labels = ",".join(f'{name}="{_quoted(value)}"' for name, value in pairs)
    return f"{sample.metric.name}{f'{{{labels}}}' if labels else ''} {_number(sample.value)}"


def _number(value: float) -> str:
    if abs(value) < LARGEST_WHOLE and value == int(value):
        return str(int(value))
    return repr(value)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', r"\"")
