"""The time line of a run as SVG: throughput, errors, and the phases behind them."""

from collections.abc import Callable, Iterator

from sturdis.core.drill.phases import Part
from sturdis.core.drill.report_facts import Told

WIDTH, HEIGHT = 1000, 340
LEFT, RIGHT = 48, 18
TOP, FLOOR = 30, 220
"""Throughput is drawn between these."""
ERRORS_TOP, ERRORS_FLOOR = 240, 300

MOST_TICKS = 12
MOST_NAMED = 12
"""Faults that are named above the curve; more would cover each other."""

NAMESPACE = "http://www.w3.org/2000/svg"
"""A name, not an address: nothing is fetched."""

STYLE = """
.phase-steady, .phase-load { fill: var(--line); opacity: .25; }
.phase-fault { fill: var(--bad); opacity: .45; }
.phase-observe { fill: var(--bad); opacity: .22; }
.phase-undo { fill: var(--doubt); opacity: .35; }
.phase-recovery { fill: var(--two); opacity: .18; }
.phase-settle, .phase-survey { fill: var(--one); opacity: .1; }
.acknowledged { fill: none; stroke: var(--one); stroke-width: 1.6; }
.done { fill: none; stroke: var(--two); stroke-width: 1.6; }
.refused { fill: var(--bad); } .in-doubt { fill: var(--doubt); }
.axis { stroke: var(--line); stroke-width: 1; }
"""

SHADED = (Part.LOAD, Part.FAULT, Part.OBSERVE, Part.UNDO, Part.RECOVERY, Part.SETTLE)

LEGEND = (
    ("stroke: var(--one)", "added/s"),
    ("stroke: var(--two)", "done/s"),
    ("stroke: var(--bad)", "refused"),
    ("stroke: var(--doubt)", "in doubt"),
)


def time_line(told: Told) -> str:
    """Draw the time line; each phase names itself where the pointer rests on it."""
    span = max(len(told.buckets) * told.step, 1)

    def x(moment: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * min(max(moment / span, 0), 1), 2)

    label = "Throughput, errors and phases over time"
    parts = [
        f'<svg xmlns="{NAMESPACE}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">',
        *_phases(told, x),
        *_curves(told, x),
        *_errors(told, x),
        *_axis(span, x),
        *_legend(),
        "</svg>",
    ]
    return "\n".join(parts)


X = Callable[[float], float]


def _phases(told: Told, x: X) -> Iterator[str]:
    for phase in told.phases:
        left, right = x(phase.at - told.origin), x(phase.until - told.origin)
        number = f" {phase.round}" if phase.round else ""
        title = f"{phase.part.value}{number}: {phase.until - phase.at} ms"
        yield (
            f'<rect class="phase-{phase.part.value}" x="{left}" y="{TOP}" '
            f'width="{max(round(right - left, 2), 1)}" height="{ERRORS_FLOOR - TOP}">'
            f"<title>{title}</title></rect>"
        )
        if phase.part is Part.FAULT and told.run.rounds <= MOST_NAMED:
            yield f'<text x="{left}" y="{TOP - 4}">fault{number}</text>'


def _curves(told: Told, x: X) -> Iterator[str]:
    buckets, step = told.buckets, told.step
    most = max((max(one.acknowledged, one.done) for one in buckets), default=0)
    if not most:
        return
    for name in ("acknowledged", "done"):
        points = []
        for one in buckets:
            y = round(FLOOR - (FLOOR - TOP) * getattr(one, name) / most, 2)
            points += [f"{x(one.at)},{y}", f"{x(one.at + step)},{y}"]
        yield f'<polyline class="{name}" points="{" ".join(points)}"/>'
    yield f'<text x="2" y="{TOP + 10}">{most * 1000 // step}/s</text>'
    yield f'<text x="2" y="{FLOOR}">0/s</text>'


def _errors(told: Told, x: X) -> Iterator[str]:
    buckets, step = told.buckets, told.step
    most = max((one.refused + one.in_doubt for one in buckets), default=0)
    yield f'<text x="2" y="{ERRORS_FLOOR}">errors</text>'
    if not most:
        return
    for one in buckets:
        floor = float(ERRORS_FLOOR)
        for name, count in (("refused", one.refused), ("in-doubt", one.in_doubt)):
            height = round((ERRORS_FLOOR - ERRORS_TOP) * count / most, 2)
            if not count:
                continue
            floor = round(floor - height, 2)
            width = max(round(x(one.at + step) - x(one.at), 2), 1)
            yield (
                f'<rect class="{name}" x="{x(one.at)}" y="{floor}" width="{width}" '
                f'height="{height}"><title>{count} {name.replace("-", " ")}</title></rect>'
            )
    yield f'<text x="2" y="{ERRORS_TOP + 8}">{most}</text>'


def _axis(span: int, x: X) -> Iterator[str]:
    for height in (FLOOR, ERRORS_FLOOR):
        yield f'<line class="axis" x1="{LEFT}" y1="{height}" x2="{WIDTH - RIGHT}" y2="{height}"/>'
    seconds = span / 1000
    steps = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
    step = next((one for one in steps if seconds / one <= MOST_TICKS), 7200)
    for second in range(0, int(seconds) + 1, step):
        at = f'x="{x(second * 1000)}" y="{ERRORS_FLOOR + 14}" text-anchor="middle"'
        yield f"<text {at}>{second} s</text>"


def _legend() -> Iterator[str]:
    y = HEIGHT - 10
    for place, (style, label) in enumerate(LEGEND):
        left = LEFT + place * 88
        line = f'x1="{left}" y1="{y - 4}" x2="{left + 18}" y2="{y - 4}"'
        yield f'<line style="{style}; stroke-width: 3" {line}/>'
        yield f'<text x="{left + 24}" y="{y}">{label}</text>'
    for place, part in enumerate(SHADED):
        left = LEFT + len(LEGEND) * 88 + place * 86
        box = f'x="{left}" y="{y - 9}" width="14" height="10"'
        yield f'<rect class="phase-{part.value}" {box}/>'
        yield f'<text x="{left + 20}" y="{y}">{part.value}</text>'
