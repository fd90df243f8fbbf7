"""An SVG of a result file: each group's speed against torch, and the roofline."""

from __future__ import annotations

import math
from html import escape
from pathlib import Path
from typing import Any

WIDTH, LEFT, RIGHT, BAR, ROOF = 980, 260, 60, 16, 380
COLOURS = {"fp32": "#31688e", "bf16": "#35b779", "fp16": "#e07b00", "int8": "#a2195b"}
GREY = "#888888"


def text(x: float, y: float, label: str, anchor: str = "start", size: int = 11) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">'
        f"{escape(label)}</text>"
    )


def stroke(x1: float, y1: float, x2: float, y2: float, colour: str, dash: str = "") -> str:
    style = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{style}/>'
    )


class Log:
    """A logarithmic axis from `low` .. `high` onto `start` .. `stop`."""

    def __init__(self, low: float, high: float, start: float, stop: float) -> None:
        self.low, self.high, self.start, self.stop = low, high, start, stop

    def __call__(self, value: float) -> float:
        value = min(max(value, self.low), self.high)
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + share * (self.stop - self.start)

    def ticks(self) -> list[float]:
        first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
        return [10.0**e for e in range(first, last + 1)]


def colour_of(name: str) -> str:
    return COLOURS.get(name.rsplit(" ", 1)[-1], GREY)


def bars(means: list[dict[str, Any]], top: float) -> tuple[list[str], float]:
    """One bar a group from 1x, to the right where ours is faster."""
    ratios = [mean["ratio"] for mean in means] or [1.0]
    x = Log(min(0.5, *ratios), max(2.0, *ratios), LEFT, WIDTH - RIGHT)
    bottom = top + BAR * len(means)
    parts = [text(LEFT, top - 22, "speed against torch (geometric means; log scale)", size=13)]
    for tick in [t for t in (0.5, 0.8, 1, 2, 5, 10, 100, 1000) if x.low <= t <= x.high]:
        parts.append(stroke(x(tick), top, x(tick), bottom, "#444444" if tick == 1 else "#dddddd"))
        parts.append(text(x(tick), top - 6, f"{tick:g}", "middle", 10))
    for i, mean in enumerate(means):
        y, ends = top + BAR * i, sorted((x(1.0), x(mean["ratio"])))
        name = f"{mean['group']}, {mean['threads']} thr"
        parts.append(text(LEFT - 8, y + 12, name, "end"))
        parts.append(
            f'<rect x="{ends[0]:.1f}" y="{y + 2}" width="{ends[1] - ends[0]:.1f}" '
            f'height="{BAR - 4}" fill="{colour_of(mean["group"])}"/>'
        )
        parts.append(text(x(max(mean["ratio"], 1.0)) + 4, y + 12, f"{mean['ratio']:.2f}"))
    return parts, bottom


def roofs(ceilings: dict[str, Any], x: Log, y: Log) -> list[str]:
    """The stream bandwidth's slope, and a horizontal for the peak of each type."""
    streams = [ceiling["gbytes_per_s"] for ceiling in ceilings["bandwidth"].values()]
    best, parts = max(streams), []
    for unit, ceiling in ceilings["compute"].items():
        peak = ceiling["gflops_per_s"]
        corner = peak / best
        parts.append(stroke(x(corner), y(peak), x(x.high), y(peak), COLOURS[unit], "5 3"))
        parts.append(text(WIDTH - RIGHT, y(peak) - 3, f"{unit} {peak:.0f}", "end", 10))
    top = max(c["gflops_per_s"] for c in ceilings["compute"].values())
    low = max(x.low, y.low / best)
    parts.append(stroke(x(low), y(low * best), x(top / best), y(top), "#444444"))
    parts.append(text(x(low) + 6, y(low * best) - 16, f"{best:.1f} GB/s", size=10))
    return parts


def roofline(document: dict[str, Any], threads: int, top: float) -> list[str]:
    """A point a case: operations a byte against operations a second."""
    ceilings = document["ceilings"].get(str(threads))
    rows = [
        row for row in document["results"]
        if row["threads"] == threads and row.get("gflops_per_s") and row.get("flops_per_byte")
    ]  # fmt: skip
    if not ceilings or not rows:
        return []
    peaks = [c["gflops_per_s"] for c in ceilings["compute"].values()]
    rates = [row["gflops_per_s"] for row in rows]
    x = Log(
        min(0.1, *(r["flops_per_byte"] for r in rows)),
        max(1000.0, *(r["flops_per_byte"] for r in rows)), LEFT, WIDTH - RIGHT,
    )  # fmt: skip
    y = Log(min(0.5, *rates), 2 * max(*peaks, *rates), top + ROOF, top)
    parts = [text(LEFT, top - 8, f"roofline, {threads} thread(s): GFLOP/s by FLOP/byte", size=13)]
    for tick in x.ticks():
        parts.append(stroke(x(tick), top, x(tick), top + ROOF, "#eeeeee"))
        parts.append(text(x(tick), top + ROOF + 14, f"{tick:g}", "middle", 10))
    for tick in y.ticks():
        parts.append(stroke(LEFT, y(tick), WIDTH - RIGHT, y(tick), "#eeeeee"))
        parts.append(text(LEFT - 6, y(tick) + 4, f"{tick:g}", "end", 10))
    parts += roofs(ceilings, x, y)
    for row in rows:
        title = f"{row['benchmark']}: {row['gflops_per_s']:.1f} GFLOP/s"
        parts.append(
            f'<circle cx="{x(row["flops_per_byte"]):.1f}" cy="{y(row["gflops_per_s"]):.1f}" r="3" '
            f'fill="{COLOURS.get(row["dtype"], GREY)}"><title>{escape(title)}</title></circle>'
        )
    return parts


def render(document: dict[str, Any]) -> str:
    """The SVG's text for a result file's content."""
    environment = document["environment"]
    parts = [text(20, 24, f"{environment['cpu']}, torch {environment['torch']}", size=15)]
    drawn, bottom = bars(document["geomeans"], 80)
    parts += drawn
    for threads in sorted({row["threads"] for row in document["results"]}):
        points = roofline(document, threads, bottom + 60)
        if points:
            parts += points
            bottom += 60 + ROOF + 24
    height = bottom + 20
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}" '
        f'viewBox="0 0 {WIDTH} {height:.0f}" font-family="sans-serif">'
    )
    background = f'<rect width="{WIDTH}" height="{height:.0f}" fill="white"/>'
    return "\n".join([head, background, *parts, "</svg>"]) + "\n"


def write_svg(document: dict[str, Any], path: Path) -> None:
    path.write_text(render(document), encoding="utf-8")
