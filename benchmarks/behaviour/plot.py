"""Rows against CPU seconds, both axes logarithmic, as a small SVG: no plotting library for one picture."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 440
LEFT, RIGHT, TOP, BOTTOM = 64, 96, 16, 48
ROWS, SECONDS = (1e4, 1e8), (0.1, 1000.0)
COLOURS = {"copy": "#7f7f7f", "ours": "#1f77b4", "polars": "#2ca02c", "pandas": "#ff7f0e", "spark": "#d62728"}
NAMES = {
    "copy": "plain copy",
    "ours": "Solvent, DuckDB",
    "polars": "Polars",
    "pandas": "pandas",
    "spark": "Spark local",
}


def write(path: Path, compared: Mapping[str, Mapping[int, float]], growth: Sequence[Mapping[str, Any]]) -> None:
    """`compared`: side -> rows -> CPU seconds; `growth`: our side's {"rows", "cpu"} over the whole range."""
    lines = dict(compared) | {"ours": {**compared["ours"], **{g["rows"]: g["cpu"] for g in growth}}}
    parts = [*_axes()]
    for side, points in lines.items():
        places = [(_x(rows), _y(seconds)) for rows, seconds in sorted(points.items())]
        drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        width = 2.5 if side == "ours" else 1.5
        parts.append(f'<polyline points="{drawn}" fill="none" stroke="{COLOURS[side]}" stroke-width="{width}"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{COLOURS[side]}"/>' for x, y in places]
        x, y = places[-1]
        parts.append(_text(x + 8, y + 4, NAMES[side], colour=COLOURS[side]))
    body = "\n".join(parts)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12" role="img" aria-label="CPU seconds by rows">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n{body}\n</svg>\n'
    )


def _axes() -> list[str]:
    parts = []
    for power in range(int(math.log10(ROWS[0])), int(math.log10(ROWS[1])) + 1):
        x = _x(10**power)
        label = f"{10**power // 1_000_000} M" if power >= 6 else f"{10**power // 1000}k"
        parts += [_line(x, TOP, x, HEIGHT - BOTTOM), _text(x, HEIGHT - BOTTOM + 18, label, anchor="middle")]
    for power in range(int(math.log10(SECONDS[0])), int(math.log10(SECONDS[1])) + 1):
        y = _y(10.0**power)
        parts += [_line(LEFT, y, WIDTH - RIGHT, y), _text(LEFT - 8, y + 4, f"{10.0**power:g}", anchor="end")]
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(_text(middle, HEIGHT - 10, "rows of repayments", anchor="middle"))
    parts.append(f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">CPU seconds</text>')
    return parts


def _x(rows: float) -> float:
    return _scaled(rows, ROWS, LEFT, WIDTH - RIGHT)


def _y(seconds: float) -> float:
    return _scaled(seconds, SECONDS, HEIGHT - BOTTOM, TOP)


def _scaled(value: float, limits: tuple[float, float], start: float, end: float) -> float:
    low, high = (math.log10(limit) for limit in limits)
    return start + (math.log10(value) - low) / (high - low) * (end - start)


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#e0e0e0"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", colour: str = "#333") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
