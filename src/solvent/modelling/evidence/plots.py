"""Small charts as inline SVG: lines and bars on two linear axes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from solvent.modelling.evidence.markup import Html, element

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 360, 260, 56, 40, 10, 16
COLOURS = ("#1f6f8b", "#b3441e", "#5a6673")
Points = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Line:
    """`points` are [x, y] pairs; `marked` draws each; `dashed` is for what one compares with."""

    name: str
    points: Points
    marked: bool = False
    dashed: bool = False


@dataclass(frozen=True)
class Axes:
    """Labels, and the ends of both axes."""

    x: str
    y: str
    x_range: tuple[float, float] = (0.0, 1.0)
    y_range: tuple[float, float] = (0.0, 1.0)

    def at(self, x: float, y: float) -> tuple[float, float]:
        across = (x - self.x_range[0]) / ((self.x_range[1] - self.x_range[0]) or 1)
        up = (y - self.y_range[0]) / ((self.y_range[1] - self.y_range[0]) or 1)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - BOTTOM - TOP)


def lines(title: str, axes: Axes, series: Sequence[Line]) -> Html:
    """A figure with a line for each of the series."""
    drawn = []
    for colour, line in zip(COLOURS, series, strict=False):
        at = [axes.at(x, y) for x, y in line.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
        dash = {"stroke_dasharray": "4 4"} if line.dashed else {}
        drawn.append(element("polyline", points=path, fill="none", stroke=colour, stroke_width="2", **dash))
        if line.marked:
            drawn += [element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r="3", fill=colour) for x, y in at]
    return _figure(title, axes, drawn, [line.name for line in series])


def bars(title: str, axes: Axes, edges: Sequence[float], series: Sequence[tuple[str, Sequence[float]]]) -> Html:
    """A figure with a bar per bin between `edges` and series, side by side."""
    drawn = []
    for number, (colour, (_, heights)) in enumerate(zip(COLOURS, series, strict=False)):
        for low, high, height in zip(edges, edges[1:], heights, strict=False):
            width = (high - low) / len(series)
            x, y = axes.at(low + number * width, height)
            end, ground = axes.at(low + (number + 0.9) * width, axes.y_range[0])
            drawn.append(
                element(
                    "rect", x=f"{x:.1f}", y=f"{y:.1f}", width=f"{end - x:.1f}", height=f"{ground - y:.1f}", fill=colour
                )
            )
    return _figure(title, axes, drawn, [name for name, _ in series])


def _figure(title: str, axes: Axes, drawn: Sequence[Html], names: Sequence[str]) -> Html:
    frame = []
    for value in _ticks(*axes.x_range):
        x, y = axes.at(value, axes.y_range[0])
        frame.append(element("text", f"{value:.6g}", x=f"{x:.1f}", y=f"{y + 14:.1f}", text_anchor="middle"))
    for value in _ticks(*axes.y_range):
        x, y = axes.at(axes.x_range[0], value)
        frame.append(element("text", f"{value:.6g}", x=f"{x - 5:.1f}", y=f"{y + 4:.1f}", text_anchor="end"))
        frame.append(element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=f"{y:.1f}", y2=f"{y:.1f}", stroke="#e6eaee"))
    middle = (HEIGHT - BOTTOM) / 2
    frame.append(element("text", axes.x, x=(LEFT + WIDTH) / 2, y=HEIGHT - 8, text_anchor="middle"))
    frame.append(
        element("text", axes.y, x=12, y=middle, text_anchor="middle", transform=f"rotate(-90 12 {middle:.0f})")
    )
    svg = element("svg", *frame, *drawn, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=title)
    swatches = [
        element("span", "■ ", element("span", name, style="color:var(--ink)"), style=f"color:{colour}", class_="named")
        for colour, name in zip(COLOURS, names, strict=False)
    ]
    return element("figure", svg, element("figcaption", title, *swatches))


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from `low` to `high`, two to six; the one value where they are the same."""
    if not high > low:
        return [low]
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step for step in (power, 2 * power, 5 * power, 10 * power) if step >= rough * 0.999)
    return [number * step for number in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
