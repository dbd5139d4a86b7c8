"""Random true series in random makes: what exports do, all mixed. Run it for more of them.

`python -m tests.data_pipeline.makes --makes 10000 --seed 0` prints how many were read, asked about
and refused; it ends with exit code 1 at the first that is read to another series.
"""

import argparse
import random
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from data_pipeline.errors import DataError
from data_pipeline.load import load_series
from data_pipeline.source import DataSource

HOUR = timedelta(hours=1)
# Hours before the clock changes of Europe and of the United States.
CHANGES = ("2024-03-30", "2024-10-26", "2023-03-11", "2023-11-04", "2021-10-30", "2022-03-26")
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
    "%Y. %m. %d. %H:%M", "%d.%m.%y %H:%M", "split", "hours", "korean", "epoch", "excel", "24:00",
)  # fmt: skip


@dataclass
class Make:
    """A file, the options that a person would give, and the truth."""

    content: bytes
    options: dict[str, Any]
    begins: list[datetime]
    local: list[datetime]
    target: np.ndarray
    feature: np.ndarray | None
    known: np.ndarray
    tolerance: float


def make(rng: random.Random) -> Make:
    """Draws a series and a make."""
    n = rng.randint(30, 200)
    zone = rng.choice(ZONES) if rng.random() < 0.4 else None
    day = (
        rng.choice(CHANGES)
        if rng.random() < 0.5
        else f"20{rng.randint(15, 25)}-0{rng.randint(1, 9)}-11"
    )
    start = datetime.fromisoformat(day).replace(hour=rng.choice((0, 0, 5)))
    first = start.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) if zone else start
    begins = [first + HOUR * i for i in range(n)]
    local = [t.astimezone(ZoneInfo(zone)).replace(tzinfo=None) if zone else t for t in begins]
    digits = rng.randint(0, 3)
    size = rng.choice((3.0, 40.0, 900.0, 20000.0))
    target = np.array([round(size * (1 + rng.random()), digits) for _ in range(n)])
    temperature = np.array([round(rng.uniform(-12, 30), 1) for _ in range(n)])
    return _write(rng, zone, begins, local, target, temperature, digits)


def _write(
    rng: random.Random,
    zone: str | None,
    begins: list[datetime],
    local: list[datetime],
    target: np.ndarray,
    temperature: np.ndarray,
    digits: int,
) -> Make:
    codec = rng.choice(tuple(NAMES))
    names = NAMES[codec]
    with_feature = rng.random() < 0.5
    options: dict[str, Any] = {"target": names[2], "features": (names[1],) if with_feature else ()}
    separator, decimal = rng.choice(",;\t|"), rng.choice(".,")
    thousands = rng.choice(("", "", "", ",", ".", " ", "'"))
    if thousands == decimal:
        thousands = ""
    stamps, head, more = _stamps(rng, zone, begins, local, names[0])
    options |= more
    known = np.ones(len(target), np.bool_)
    cells = [_number(x, digits, decimal, thousands) for x in target]
    if rng.random() < 0.3:
        code = rng.choice(("", "?", "-", "n/e", "NULL", "-9999"))
        for at in rng.sample(range(2, len(cells) - 2), 3):
            cells[at], known[at] = code, False
        options["gaps"] = "interpolate"
        if code == "-9999" and rng.random() < 0.5:
            options["missing"] = ("-9999",)
    columns = [*stamps]
    header = [*head]
    if with_feature:
        header.append(names[1])
        columns.append([_number(x, 1, decimal, "") for x in temperature])
    header.append(names[2])
    columns.append(cells)
    rows = [list(row) for row in zip(*columns, strict=True)]
    if rng.random() < 0.15 and zone is None:
        rows += rows[-3:]
    if rng.random() < 0.2:
        rows.reverse()
    lines = _noise(rng, header, rows, separator, len(head))
    end = rng.choice(("\n", "\r\n"))
    if any("오" in one for one in lines) and codec == "cp1252":
        codec = "utf-8"
    content = (end.join(lines) + end).encode(codec)
    if codec != "utf-16" and rng.random() < 0.05:
        content += b"\0" * 40
    return Make(
        content, options, begins, local, target, temperature if with_feature else None, known, 1e-9
    )


def _stamps(
    rng: random.Random, zone: str | None, begins: list[datetime], local: list[datetime], name: str
) -> tuple[list[list[str]], list[str], dict[str, Any]]:
    """Cells of the time columns, their names, and what a person would say of them."""
    form = rng.choice(DATES)
    options: dict[str, Any] = {"time": (name,)}
    if form == "epoch":
        utc = [t if t.tzinfo else t.replace(tzinfo=UTC) for t in begins]
        if zone:
            options["tz"] = zone
        return [[str(int(t.timestamp())) for t in utc]], [name], options
    end = form == "24:00" or form == "hours" or rng.random() < 0.3
    shown = [t + HOUR for t in local] if end else local
    if end and form not in ("24:00", "hours"):
        options["stamp"] = "end"
    if zone and rng.random() < 0.4 and form.startswith("%Y-"):
        written = []
        for begin, clock in zip(begins, shown, strict=True):
            moment = begin.astimezone(ZoneInfo(zone))
            offset = moment.strftime("%z")
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
    if form == "24:00":
        return [[_to_24(t) for t in shown]], [name], options
    if form == "korean":
        half = ["오전" if t.hour < 12 else "오후" for t in shown]
        text = [
            f"{t:%Y-%m-%d} {h} {t.hour % 12 or 12}:00" for t, h in zip(shown, half, strict=True)
        ]
        return [text], [name], options
    if form == "excel":
        epoch = datetime(1899, 12, 30)
        return [[f"{(t - epoch) / timedelta(days=1):.10f}" for t in shown]], [name], options
    return [[t.strftime(form) for t in shown]], [name], options


def _to_24(end: datetime) -> str:
    if end.hour:
        return end.strftime("%Y-%m-%d %H:%M")
    return (end - HOUR).strftime("%Y-%m-%d ") + "24:00"


def _number(value: float, digits: int, decimal: str, thousands: str) -> str:
    text = f"{value:,.{digits}f}" if thousands else f"{value:.{digits}f}"
    return text.replace(",", "~").replace(".", decimal).replace("~", thousands)


def _noise(
    rng: random.Random, header: list[str], rows: list[list[str]], separator: str, times: int
) -> list[str]:
    def line(cells: list[str]) -> str:
        return separator.join(f'"{cell}"' if separator in cell else cell for cell in cells)

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
    below = [line(["", *[""] * (times - 1), *["kWh"] * (len(header) - times)])]
    lines = [*above, line(header) + trailing]
    lines += below if rng.random() < 0.1 else []
    lines += [line(row) + trailing for row in rows]
    if rng.random() < 0.1:
        lines.append(line(["Total", *[""] * (len(header) - 2), "4885"]) + trailing)
    return lines


def judge(made: Make, path: Path) -> str:
    """Reads a make: "read", "asked" or "refused".

    Raises:
        AssertionError: It was read to another series.
    """
    path.write_bytes(made.content)
    try:
        series, _ = load_series(
            DataSource.model_validate({"path": path, "unit": "units", **made.options})
        )
    except DataError as error:
        return "asked" if error.ways else "refused"
    naive = series.index.tz is None
    begins = np.array(
        [t.replace(tzinfo=None) for t in (made.local if naive else made.begins)], "datetime64[us]"
    )
    found = series.index.tz_localize(None).to_numpy().astype("datetime64[us]")
    text = f"{made.options} {made.content[:400]!r}"
    assert len(found) == len(begins), f"{len(found)} hours, not {len(begins)}: {text}"
    assert (found == begins).all(), f"{found[:3]}, not {begins[:3]}: {text}"
    np.testing.assert_allclose(
        series.target[made.known], made.target[made.known], rtol=1e-9, err_msg=text
    )
    if made.feature is not None:
        np.testing.assert_allclose(series.covariates[:, 0], made.feature, rtol=1e-9, err_msg=text)
    return "read"


def judge_many(count: int, seed: int, folder: Path) -> Counter[str]:
    """How many of `count` makes were read, asked about and refused."""
    found: Counter[str] = Counter()
    for number in range(count):
        found[judge(make(random.Random(f"{seed}-{number}")), folder / "make.csv")] += 1
    return found


def main() -> None:
    """Judges as many makes as asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--makes", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = judge_many(asked.makes, asked.seed, Path(folder))
    sys.stdout.write(f"{asked.makes} makes, seed {asked.seed}: {dict(found)}\n")


if __name__ == "__main__":
    main()
