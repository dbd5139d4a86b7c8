"""Layouts of meter files: rows, days, several meters, registers, finer steps, typed cells."""

import gzip
import io
import random
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from tests.data_pipeline.makes import HOUR, NAMES, Drawn, Make, draw, number, stamps, unsaid
from tests.data_pipeline.workbooks import workbook_of


@dataclass(frozen=True)
class _Style:
    """How one file writes its text."""

    codec: str
    separator: str
    decimal: str
    thousands: str

    @property
    def names(self) -> tuple[str, str, str]:
        return NAMES[self.codec]


def _style(rng: random.Random) -> _Style:
    decimal = rng.choice(".,")
    thousands = rng.choice(("", "", "", ",", ".", " ", "'"))
    thousands = "" if thousands == decimal else thousands
    return _Style(rng.choice(tuple(NAMES)), rng.choice(",;\t|"), decimal, thousands)


def rows(rng: random.Random) -> Make:
    """A row an hour."""
    drawn = draw(rng)
    return _table(rng, drawn, drawn.target, drawn.digits)


def _table(
    rng: random.Random,
    drawn: Drawn,
    written: np.ndarray,
    digits: int,
    gaps: bool = True,
    filled: bool = False,
    unit: str = "kWh",
    middles: bool = True,
) -> Make:
    """A row a period, with holes, repeats, noise around the table and a container."""
    style = _style(rng)
    time, degrees, usage = style.names
    with_feature = rng.random() < 0.5
    options: dict[str, Any] = {"target": usage, "features": (degrees,) if with_feature else ()}
    cells_of_time, header, more = stamps(rng, drawn, time, middles)
    times = len(header)
    options |= more
    known = np.ones(len(written), np.bool_)
    cells = [number(x, digits, style.decimal, style.thousands) for x in written]
    options |= {"gaps": "interpolate"} if filled else {}
    if gaps and rng.random() < 0.3:
        code = rng.choice(("", "?", "-", "n/e", "NULL", "-9999"))
        for at in rng.sample(range(2, len(cells) - 2), 3):
            cells[at], known[at] = code, False
        options["gaps"] = "interpolate"
        if code == "-9999" and rng.random() < 0.5:
            options["missing"] = ("-9999",)
    elif rng.random() < 0.1:
        cells = [f"{cell} {unit}" for cell in cells]
    columns = [*cells_of_time]
    if with_feature:
        header.append(degrees)
        minus = rng.choice(("-", "-", "\u2212")) if style.codec.startswith("utf") else "-"
        columns.append([number(x, 1, style.decimal, "").replace("-", minus) for x in drawn.feature])
    header.append(usage)
    columns.append(cells)
    lines = [list(row) for row in zip(*columns, strict=True)]
    if rng.random() < 0.15 and drawn.zone is None:
        lines += lines[-3:]
    if rng.random() < 0.2:
        lines.reverse()
    text = _noise(rng, header, lines, style.separator, times, unit)
    made = Make(
        b"", options, drawn.begins, drawn.local, drawn.target,
        drawn.feature if with_feature else None, known,
    )  # fmt: skip
    made = _clock_unsaid(rng, made, drawn)
    return _contained(rng, made, _encoded(rng, text, style.codec))


def _clock_unsaid(rng: random.Random, made: Make, drawn: Drawn) -> Make:
    """A person may not know that the zone of the clock matters."""
    if "tz" not in made.options or made.options.get("gaps") or rng.random() < 0.7:
        return made
    options = dict(made.options)
    return replace(made, options=options, secret={"tz": options.pop("tz")})


def _noise(
    rng: random.Random,
    header: list[str],
    lines: list[list[str]],
    separator: str,
    times: int,
    unit: str = "kWh",
) -> list[str]:
    quote = rng.random() < 0.1

    def line(cells: Sequence[str]) -> str:
        return separator.join(f'"{cell}"' if separator in cell or quote else cell for cell in cells)

    above: list[str] = []
    noise = rng.random()
    if noise < 0.1:
        above = ["Name" + separator + "A customer", "Account" + separator + "000", ""]
    elif noise < 0.2:
        above = ["# site: A", "# local time"]
    elif noise < 0.25:
        above = [f"sep={separator}"]
    elif noise < 0.3:
        above = [""]
    trailing = separator if rng.random() < 0.1 else ""
    units = line(["", *[""] * (times - 1), *[unit] * (len(header) - times)])
    text = [*above, line(header) + trailing]
    text += [units] if rng.random() < 0.1 else []
    text += [line(row) + trailing for row in lines]
    if rng.random() < 0.1:
        text.append(line(["Total", *[""] * (len(header) - 2), "4885"]) + trailing)
    return text


def _encoded(rng: random.Random, lines: Sequence[str], codec: str) -> bytes:
    end = rng.choice(("\n", "\r\n"))
    text = end.join(lines) + end
    try:
        content = text.encode(codec)
    except UnicodeEncodeError:
        codec, content = "utf-8", text.encode()
    if codec != "utf-16" and rng.random() < 0.05:
        content += b"\0" * 40
    return content


def _contained(rng: random.Random, made: Make, content: bytes) -> Make:
    kind = rng.random()
    if kind < 0.03:
        return replace(made, content=gzip.compress(content, 1), suffix=".csv.gz")
    if kind < 0.06:
        place = io.BytesIO()
        with zipfile.ZipFile(place, "w") as archive:
            archive.writestr("export/meter.csv", content)
        return replace(made, content=place.getvalue(), suffix=".zip")
    return replace(made, content=content)


def days(rng: random.Random) -> Make:
    """A row a day, with a column for each period of it."""
    step = rng.choice((HOUR, HOUR, HOUR / 2, HOUR / 4))
    drawn = _whole_days(rng, step)
    style = _style(rng)
    per_hour = HOUR // step
    names, elapsed = _period_names(rng, drawn, per_hour)
    pattern = rng.choice(("%Y-%m-%d", "%Y%m%d", "%d.%m.%Y", "%m/%d/%Y", "%d-%b-%Y", "%Y. %m. %d."))
    every: dict[datetime, dict[str, float]] = {}
    for clock, slot, value in zip(drawn.local, _slots(drawn, elapsed), drawn.target, strict=True):
        every.setdefault(clock.replace(hour=0, minute=0), {})[slot] = value
    slots = list(names)
    extra = rng.random() < 0.3
    header = [style.names[0], *(["Meter"] if extra else []), *names.values()]
    lines = []
    for day, values in every.items():
        cells = [
            number(values[slot], drawn.digits, style.decimal, style.thousands)
            if slot in values
            else rng.choice(("", "-"))
            for slot in slots
        ]
        lines.append([day.strftime(pattern), *(["M-7"] if extra else []), *cells])
    if rng.random() < 0.2:
        lines.reverse()
    text = _noise(rng, header, lines, style.separator, len(header))
    options: dict[str, Any] = {"time": (style.names[0],), "target": "Load", "features": ()}
    options |= {"tz": drawn.zone} if drawn.zone else {}
    hours = _hours(drawn, "sum" if step < HOUR and rng.random() < 0.5 else "mean")
    # Columns by the clock have no place for an hour that comes twice.
    written = np.array([slot in names for slot in _slots(drawn, elapsed)])
    known = np.asarray(written.reshape(-1, per_hour).all(axis=1))
    options |= {} if known.all() else {"gaps": "interpolate"}
    made = Make(b"", options, *hours.truth, None, known)
    if step < HOUR:
        made = unsaid(rng, made, {"resample": hours.how})
    return _contained(rng, made, _encoded(rng, text, style.codec))


def _whole_days(rng: random.Random, step: timedelta) -> Drawn:
    """A series from midnight to midnight on its clock."""
    drawn = draw(rng, step, (50, 300))
    first = drawn.local[0].replace(hour=0)
    count = max(3, len(drawn.local) * (step // timedelta(minutes=15)) // 96)
    if drawn.zone is None:
        begins = [first + step * i for i in range(count * (timedelta(days=1) // step))]
        local = begins
    else:
        zone = ZoneInfo(drawn.zone)
        begin = first.replace(tzinfo=zone).astimezone(UTC)
        end = (first + timedelta(days=count)).replace(tzinfo=zone).astimezone(UTC)
        begins = [begin + step * i for i in range((end - begin) // step)]
        local = [t.astimezone(zone).replace(tzinfo=None) for t in begins]
    size = float(np.median(drawn.target)) or 1.0
    target = np.array([round(size * (1 + rng.random()), drawn.digits) for _ in begins])
    return replace(drawn, begins=begins, local=local, target=target, feature=target)


def _period_names(rng: random.Random, drawn: Drawn, per_hour: int) -> tuple[dict[str, str], bool]:
    """Slots and the names of their columns; whether hours are counted through a clock change."""
    count = 24 * per_hour
    changes = len({(t.date(), t.hour, t.minute) for t in drawn.local}) < len(drawn.local)
    gap = drawn.zone is not None and _missing_clock(drawn)
    kind = rng.choice(("numbers", "numbers", "begins", "ends"))
    elapsed = drawn.zone is not None and (changes or gap) and kind == "numbers" and per_hour > 1
    if drawn.zone is not None and changes and kind == "numbers" and per_hour == 1:
        elapsed = rng.random() < 0.5
    if elapsed:
        total = count + per_hour if changes else count
        return {str(i): f"{i + 1}" for i in range(total)}, True
    step = 60 // per_hour
    clocks = [divmod(i * step, 60) for i in range(count)]
    slots = [f"{h:02d}:{m:02d}" for h, m in clocks]
    if kind == "numbers":
        pre, post = rng.choice((("", ""), ("", "시"), ("H", ""), ("HE", ""), ("Hour ", "")))
        post = "" if per_hour > 1 else post
        names = [f"{pre}{i + 1}{post}" for i in range(count)]
    elif kind == "begins":
        names = slots
    else:
        ends = [divmod((i + 1) * step, 60) for i in range(count)]
        names = [f"{h:02d}:{m:02d}" for h, m in ends]
        if rng.random() < 0.5:
            names[-1] = "00:00"
    found = dict(zip(slots, names, strict=True))
    if changes and per_hour == 1 and kind == "numbers":
        again = sorted({f"{t:%H:%M}" for t in drawn.local if drawn.local.count(t) > 1})[0]
        at = slots.index(again)
        number_of = names[at]
        bare = number_of.removesuffix("시")
        with_marks = {}
        for slot, name in found.items():
            if slot == again:
                with_marks[slot] = f"{bare}A" + number_of.removeprefix(bare)
                with_marks[f"{slot} again"] = f"{bare}B" + number_of.removeprefix(bare)
            else:
                with_marks[slot] = name
        return with_marks, False
    return found, False


def _missing_clock(drawn: Drawn) -> bool:
    steps = [b - a for a, b in zip(drawn.local, drawn.local[1:], strict=False)]
    return any(one != drawn.step for one in steps)


def _slots(drawn: Drawn, elapsed: bool) -> list[str]:
    seen: set[datetime] = set()
    found, since, day = [], 0, None
    for clock in drawn.local:
        since = since + 1 if day == clock.date() else 0
        day = clock.date()
        if elapsed:
            found.append(str(since))
        else:
            found.append(f"{clock:%H:%M}" + (" again" if clock in seen else ""))
        seen.add(clock)
    return found


def meters(rng: random.Random) -> Make:
    """Several meters below each other; the person may not know that there are several."""
    drawn = draw(rng)
    style = _style(rng)
    called = rng.choice((("A", "B"), ("101", "102", "103"), ("동관", "서관"), ("Haus 1", "Haus 2")))
    cells_of_time, header, more = stamps(rng, drawn, style.names[0])
    values = {
        name: drawn.target * (1 if at == 0 else 1 + 0.13 * at) for at, name in enumerate(called)
    }
    lines = []
    for at in range(len(drawn.target)):
        for name in called:
            cell = number(values[name][at], drawn.digits, style.decimal, style.thousands)
            lines.append([*(column[at] for column in cells_of_time), name, cell])
    if rng.random() < 0.5:
        lines.sort(key=lambda line: called.index(line[-2]))
    text = _noise(rng, [*header, "Meter", style.names[2]], lines, style.separator, len(header))
    known = np.ones(len(drawn.target), np.bool_)
    options = {**more, "target": style.names[2], "features": ()}
    made = Make(b"", options, drawn.begins, drawn.local, drawn.target, None, known)
    made = unsaid(rng, made, {"where": (f"Meter={called[0]}",)})
    return _contained(rng, made, _encoded(rng, text, style.codec))


def register(rng: random.Random) -> Make:
    """Readings of a register: a running total; usage begins with the second hour."""
    drawn = draw(rng, hours=(220, 400))
    digits = max(1, drawn.digits)
    used = np.round(drawn.target / 10, digits)
    total = np.round(rng.randint(0, 90_000) + np.cumsum(used), digits)
    known = np.ones(len(used), np.bool_)
    replaced = rng.random() < 0.2
    if replaced:
        at = rng.randint(50, len(used) - 50)
        total[at:] = np.round(total[at:] - total[at], digits)
        known[at] = False
    made = _table(rng, drawn, total, digits, gaps=False, filled=replaced, middles=False)
    feature = None if made.feature is None else made.feature[1:]
    made = replace(
        made, begins=drawn.begins[1:], local=drawn.local[1:],
        target=np.round(np.diff(total, prepend=total[0]), digits)[1:], feature=feature,
        known=known[1:],
    )  # fmt: skip
    return unsaid(rng, made, {"cumulative": True})


def finer(rng: random.Random) -> Make:
    """Steps of half an hour and less."""
    drawn = draw(rng, timedelta(minutes=rng.choice((30, 15, 15, 10, 5))))
    hours = _hours(drawn, rng.choice(("mean", "sum")))
    unit = "kW" if hours.how == "mean" else "kWh"
    made = _table(rng, drawn, drawn.target, drawn.digits, gaps=False, unit=unit)
    feature = None if made.feature is None else hours.feature
    begins, local, target = hours.truth
    made = replace(
        made, begins=begins, local=local, target=target, feature=feature,
        known=np.ones(len(target), np.bool_),
    )  # fmt: skip
    return unsaid(rng, made, {"resample": hours.how})


@dataclass(frozen=True)
class _Hours:
    begins: list[datetime]
    local: list[datetime]
    target: np.ndarray
    feature: np.ndarray
    how: str

    @property
    def truth(self) -> tuple[list[datetime], list[datetime], np.ndarray]:
        return self.begins, self.local, self.target


def _hours(drawn: Drawn, how: str) -> _Hours:
    """The hours of finer periods, which begin with a whole hour."""
    each = HOUR // drawn.step
    parts = drawn.target.reshape(-1, each)
    target = parts.sum(1) if how == "sum" else parts.mean(1)
    feature = drawn.feature.reshape(-1, each).mean(1)
    return _Hours(drawn.begins[::each], drawn.local[::each], target, feature, how)


def typed(rng: random.Random) -> Make:
    """A workbook or a Parquet file, whose cells have types."""
    drawn = draw(rng)
    time, _, usage = NAMES[rng.choice(tuple(NAMES))]
    known = np.ones(len(drawn.target), np.bool_)
    options: dict[str, Any] = {"time": (time,), "target": usage, "features": ()}
    values: list[float | None] = [float(x) for x in drawn.target]
    if rng.random() < 0.3:
        for at in rng.sample(range(2, len(values) - 2), 3):
            values[at], known[at] = None, False
        options["gaps"] = "interpolate"
    end = rng.random() < 0.3
    options |= {"stamp": "end"} if end else {}
    clock = [t + HOUR if end else t for t in drawn.local]
    made = Make(b"", options, drawn.begins, drawn.local, drawn.target, None, known)
    if rng.random() < 0.5:
        return _parquet(rng, made, drawn, clock, values, time, usage)
    if drawn.zone:
        options["tz"] = drawn.zone
    above: list[list[object]] = [["Customer", "A"], []] if rng.random() < 0.3 else []
    cells: list[list[object]] = [*above, [time, usage]]
    text = rng.random() < 0.3
    cells += [
        [t.strftime("%d.%m.%Y %H:%M") if text else t, value]
        for t, value in zip(clock, values, strict=True)
    ]
    return replace(_clock_unsaid(rng, made, drawn), content=workbook_of(cells), suffix=".xlsx")


def _parquet(
    rng: random.Random,
    made: Make,
    drawn: Drawn,
    clock: list[datetime],
    values: list[float | None],
    time: str,
    usage: str,
) -> Make:
    shift = HOUR if "stamp" in made.options else timedelta(0)
    kind = rng.choice(("zone", "utc", "clock", "text"))
    options = dict(made.options)
    times: Any = pd.DatetimeIndex(clock)
    if drawn.zone and kind in ("zone", "utc"):
        times = pd.DatetimeIndex([t + shift for t in drawn.begins])
        times = times.tz_convert(drawn.zone) if kind == "zone" else times
        if kind == "utc" or rng.random() < 0.5:
            options["tz"] = drawn.zone
    elif drawn.zone:
        options["tz"] = drawn.zone
    if kind == "text":
        times = [f"{t:%Y-%m-%d %H:%M:%S}" for t in clock]
    frame = pd.DataFrame({time: times, usage: pd.Series(values, dtype="float64")})
    if rng.random() < 0.3:
        frame = frame.set_index(time)
    place = io.BytesIO()
    frame.to_parquet(place)
    return replace(made, options=options, content=place.getvalue(), suffix=".parquet")
