"""Random true series in random makes: what exports do, all mixed.

`python -m tests.measure.makes --makes 100000 --seed 0` tries many of them.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from data_pipeline.errors import DataError
from data_pipeline.load import load_series
from data_pipeline.series import HourlySeries
from data_pipeline.source import DataSource

HOUR = timedelta(hours=1)
# Hours before the clock changes of Europe, of the United States and of Australia.
CHANGES = (
    *("2024-03-30", "2024-10-26", "2021-10-30", "2022-03-26"),
    *("2023-03-11", "2023-11-04", "2023-09-30", "2024-04-06"),
)
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Seoul", "Europe/London")
NAMES = {
    "utf-8": ("Date", "Temperature", "Usage"),
    "utf-8-sig": ("일시", "기온(°C)", "사용량"),
    "utf-16": ("Zeit", "Temp °C", "Wärme"),
    "cp949": ("측정일시", "외기온도", "전력사용량"),
    "cp1252": ("Datum", "Außentemperatur", "Verbrauch für Wärme"),
}
DATES = (
    "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y/%m/%d %H:%M", "%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M %p", "%d-%b-%Y %H:%M", "%Y%m%d%H", "%Y%m%d%H%M",
    "%Y. %m. %d. %H:%M", "%d.%m.%y %H:%M", "split", "hours", "korean", "epoch", "epoch-ms",
    "excel", "24:00", "interval", "a little off",
)  # fmt: skip
# Forms that name an hour and no minute, or that are for whole hours alone.
HOURLY = frozenset({"%Y%m%d%H", "hours", "24:00"})
# Forms whose times may be the middles of periods, and the steps whose middle is a whole minute.
MIDDLES = frozenset(one for one in DATES if "%M" in one) | {"korean", "excel", "split"}
MIDDLE_STEPS = (HOUR, HOUR / 2)
# How often a person says what the make needs; else the reader is to find out or to ask.
TOLD = 0.6


@dataclass(frozen=True)
class Drawn:
    """A true series.

    Attributes:
        zone: Of its clock, None for a clock that never changes.
        begins: Of its periods; UTC where there is a zone.
        local: The same on its clock.
        step: What a period takes.
        target, feature: Values of n periods, rounded as they are written.
        digits: Behind the decimal mark of the target.
    """

    zone: str | None
    begins: list[datetime]
    local: list[datetime]
    step: timedelta
    target: np.ndarray
    feature: np.ndarray
    digits: int


@dataclass(frozen=True)
class Make:
    """A file, the options that a person would give, and the truth.

    Attributes:
        content: The file. suffix: Of its name.
        options: What the person says.
        begins, local: Of the hours that are right. target, feature: Their values.
        known: bool (n,), hours that the file has; others were filled.
        secret: Options that the person does not say, which make the reading right.
    """

    content: bytes
    options: dict[str, Any]
    begins: Sequence[datetime]
    local: Sequence[datetime]
    target: np.ndarray
    feature: np.ndarray | None
    known: np.ndarray
    suffix: str = ".csv"
    secret: dict[str, Any] = field(default_factory=dict)


def make(rng: random.Random) -> Make:
    """Draws a series and a make."""
    from tests.data_pipeline import layouts

    kinds = (layouts.rows, layouts.days, layouts.meters, layouts.register, layouts.finer)
    kind = rng.choices((*kinds, layouts.typed), (50, 14, 9, 9, 9, 9))[0]
    return kind(rng)


def draw(rng: random.Random, step: timedelta = HOUR, hours: tuple[int, int] = (30, 200)) -> Drawn:
    """Draws a series, half of them over a clock change."""
    n = rng.randint(*hours) * (HOUR // step)
    zone = rng.choice(ZONES) if rng.random() < 0.4 else None
    changing = rng.random() < 0.5
    day = rng.choice(CHANGES) if changing else f"20{rng.randint(15, 25)}-0{rng.randint(1, 9)}-11"
    start = datetime.fromisoformat(day).replace(hour=rng.choice((0, 0, 5)))
    first = start.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) if zone else start
    begins = [first + step * i for i in range(n)]
    local = [t.astimezone(ZoneInfo(zone)).replace(tzinfo=None) if zone else t for t in begins]
    digits = rng.randint(0, 3)
    size = rng.choice((3.0, 40.0, 900.0, 20000.0))
    target = np.array([round(size * (1 + rng.random()), digits) for _ in range(n)])
    feature = np.array([round(rng.uniform(-12, 30), 1) for _ in range(n)])
    return Drawn(zone, begins, local, step, target, feature, digits)


def stamps(
    rng: random.Random, drawn: Drawn, name: str, middles: bool = True
) -> tuple[list[list[str]], list[str], dict[str, Any]]:
    """Cells of the time columns, their names, and what a person would say of them.

    Times are begins, ends or, with `middles`, the middles of periods.
    """
    zone, step, local = drawn.zone, drawn.step, drawn.local
    form = rng.choice([one for one in DATES if step == HOUR or one not in HOURLY])
    options: dict[str, Any] = {"time": (name,)}
    if form in ("epoch", "epoch-ms"):
        utc = [t if t.tzinfo else t.replace(tzinfo=UTC) for t in drawn.begins]
        scale = 1 if form == "epoch" else 1000
        if zone:
            options["tz"] = zone
        return [[str(scale * int(t.timestamp())) for t in utc]], [name], options
    end = form in ("24:00", "hours") or (form != "interval" and rng.random() < 0.3)
    shown = [t + step for t in local] if end else list(local)
    if end and form not in ("24:00", "hours"):
        options["stamp"] = "end"
    elif middles and form in MIDDLES and step in MIDDLE_STEPS and rng.random() < 0.08:
        shown = [t + step / 2 for t in local]
        if rng.random() < TOLD:
            options["stamp"] = "middle"
    if zone and rng.random() < 0.4 and form.startswith("%Y-"):
        # Each row with the offset of its own begin, as exports with a fixed clock a row write it.
        written = []
        for begin, clock in zip(drawn.begins, shown, strict=True):
            offset = begin.astimezone(ZoneInfo(zone)).strftime("%z")
            written.append(
                clock.strftime(form) + rng.choice((offset, f"{offset[:3]}:{offset[3:]}"))
            )
        return [written], [name], options
    if zone:
        options["tz"] = zone
    if form == "split":
        options["time"] = (name, "Clock")
        pattern = rng.choice(("%d.%m.%Y", "%Y-%m-%d", "%m/%d/%Y"))
        days = [t.strftime(pattern) for t in shown]
        return [days, [t.strftime("%H:%M:%S") for t in shown]], [name, "Clock"], options
    if form == "hours":
        options["time"] = (name, "Hour")
        days = [t.strftime("%Y-%m-%d") for t in local]
        return [days, [str(t.hour + 1) for t in local]], [name, "Hour"], options
    return [_cells(form, shown, step, rng)], [name], options


def _cells(form: str, shown: Sequence[datetime], step: timedelta, rng: random.Random) -> list[str]:
    if form == "24:00":
        return [_to_24(t) for t in shown]
    if form == "korean":
        half = ["오전" if t.hour < 12 else "오후" for t in shown]
        return [
            f"{t:%Y-%m-%d} {h} {t.hour % 12 or 12}:{t:%M}" for t, h in zip(shown, half, strict=True)
        ]
    if form == "excel":
        epoch = datetime(1899, 12, 30)
        return [f"{(t - epoch) / timedelta(days=1):.10f}" for t in shown]
    if form == "interval":
        pattern = rng.choice(("%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M"))
        apart = rng.choice((" - ", " bis ", "/" if pattern.startswith("%Y-") else " - "))
        return [f"{t.strftime(pattern)}{apart}{(t + step).strftime(pattern)}" for t in shown]
    if form == "a little off":
        off = timedelta(milliseconds=rng.choice((3, 997, 2500)))
        late = [t + off * (i % 3) for i, t in enumerate(shown)]
        return [f"{t:%Y-%m-%d %H:%M:%S}.{t.microsecond // 1000:03d}" for t in late]
    return [t.strftime(form) for t in shown]


def _to_24(end: datetime) -> str:
    if end.hour:
        return end.strftime("%Y-%m-%d %H:%M")
    return (end - HOUR).strftime("%Y-%m-%d ") + "24:00"


def number(value: float, digits: int, decimal: str, thousands: str) -> str:
    """A number as a spreadsheet of some country writes it."""
    text = f"{value:,.{digits}f}" if thousands else f"{value:.{digits}f}"
    return text.replace(",", "~").replace(".", decimal).replace("~", thousands)


def judge(made: Make, folder: Path) -> str:
    """Reads a make: "read"; "asked", if one of the ways leads to the truth; else "refused".

    Raises:
        AssertionError: It was read to another series.
    """
    path = folder / f"make{made.suffix}"
    # Some file systems write a file to the disk at once if its content is replaced.
    path.unlink(missing_ok=True)
    path.write_bytes(made.content)
    source = DataSource.model_validate({"path": path, "unit": "units", **made.options})
    try:
        series, _ = load_series(source)
    except DataError as error:
        return "asked" if _leads_to_truth(error, source, made, 4) else "refused"
    fault = differs(series, made)
    assert not fault, f"{fault}: {made.options} {made.content[:400]!r}"
    return "read"


def _leads_to_truth(error: DataError, source: DataSource, made: Make, deep: int) -> bool:
    for way in error.ways:
        try:
            changed = source.change(**way.changes)
            series, _ = load_series(changed)
        except DataError as further:
            if deep > 1 and _leads_to_truth(further, changed, made, deep - 1):
                return True
        except ValueError:
            continue
        else:
            if not differs(series, made):
                return True
    return False


def differs(series: HourlySeries, made: Make) -> str:
    """How a series that was read is not the truth; "" if it is."""
    naive = series.index.tz is None
    begins = np.array(
        [t.replace(tzinfo=None) for t in (made.local if naive else made.begins)], "datetime64[us]"
    )
    found = series.index.tz_localize(None).to_numpy().astype("datetime64[us]")
    if len(found) != len(begins):
        return f"{len(found)} hours, not {len(begins)}"
    if (found != begins).any():
        return f"{found[:3]}, not {begins[:3]}"
    if not np.allclose(series.target[made.known], made.target[made.known], rtol=1e-9, atol=0):
        return f"{series.target[:5]}, not {made.target[:5]}"
    if made.feature is not None and not np.allclose(
        series.covariates[:, 0], made.feature, rtol=1e-9, atol=1e-12
    ):
        return f"feature {series.covariates[:5, 0]}, not {made.feature[:5]}"
    return ""


def judge_many(count: int, seed: int, folder: Path) -> Counter[str]:
    """How many of `count` makes were read, asked about and refused."""
    found: Counter[str] = Counter()
    for at in range(count):
        found[judge(make(random.Random(f"{seed}-{at}")), folder)] += 1
    return found


def unsaid(rng: random.Random, made: Make, options: Mapping[str, Any]) -> Make:
    """The make, with `options` said or left for the reader to find out."""
    if rng.random() < TOLD:
        return replace(made, options={**made.options, **options})
    return replace(made, secret=dict(options))
