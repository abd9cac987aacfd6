"""Two plain drawings as SVG: bars beside each other, and what is loaded as an icicle. Readable on light and dark.

Rectangles and texts are all that they need, which is less than any library that draws them would bring.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from benchmarks.figures import Loaded, Row

_WIDTH, _BAR, _GAP, _LEFT, _RIGHT = 880, 16, 22, 330, 70
_LEVEL = 20
_LETTER = 6.2
"""Pixels of a letter, generously."""
_STYLE = """<style>
text{font:12px sans-serif;fill:#24292f}.small{font-size:11px}.title{font-size:14px;font-weight:bold}
.ours{fill:#0969da}.theirs{fill:#afb8c1}.limit{stroke:#cf222e;stroke-width:2}.edge{stroke:#fff}
.on{fill:#fff}
@media (prefers-color-scheme: dark){text{fill:#e6edf3}.theirs{fill:#57606a}.limit{stroke:#ff7b72}.edge{stroke:#0d1117}
.on{fill:#fff}}
</style>"""


@dataclass(frozen=True, slots=True)
class Bars:
    """A title, what is drawn, and what of it the reader should know."""

    title: str
    rows: Sequence[Row]
    note: str


def bars(given: Bars) -> str:
    """For each row a bar of Firebreak, one of the other function, and a line at the limit; all from nought."""
    most = max(max(one.ours, one.theirs) for one in given.rows)
    wide = (_WIDTH - _LEFT - _RIGHT) / most
    parts, top = [_text(10, 22, given.title, "title"), _text(10, 40, given.note, "small")], 56.0
    for one in given.rows:
        parts.append(_text(10, top + 20, one.what))
        for kind, value, at in (("ours", one.ours, top), ("theirs", one.theirs, top + _BAR)):
            parts.append(_box(_LEFT, at, value * wide, _BAR - 1, kind))
            parts.append(_text(_LEFT + value * wide + 5, at + 12, f"{value:,.0f}", "small"))
        if one.limit is not None:
            x = _LEFT + one.limit * wide
            line = f'<line class="limit" x1="{x:.1f}" x2="{x:.1f}" y1="{top - 2:.0f}" y2="{top + 2 * _BAR + 1:.0f}"/>'
            parts.append(line)
        top += 2 * _BAR + _GAP
    return _svg(parts, top)


def icicle(title: str, loaded: Sequence[Loaded], note: str, deepest: int = 7) -> str:
    """What loads what, from above to below: as wide as it takes, with all that it loads."""
    total = sum(one.microseconds for one in loaded if not one.depth)
    wide = (_WIDTH - 20) / max(1, total)
    parts = [_text(10, 22, title, "title"), _text(10, 40, note, "small")]
    # A module is told after all that it loads: backwards, whoever loads comes before what is loaded.
    ends = {0: _WIDTH - 10.0}
    for one in reversed(loaded):
        end = ends.get(one.depth, 0.0)
        width = one.microseconds * wide
        ends[one.depth], ends[one.depth + 1] = end - width, end
        if one.depth < deepest and width >= 1:
            top = 52 + one.depth * _LEVEL
            kind = "ours edge" if one.name.split(".")[0] in _OWN else "theirs edge"
            tip = f"<title>{escape(one.name)}: {one.microseconds / 1000:.1f} ms</title>"
            parts.append(_box(end - width, top, width, _LEVEL - 1, kind, tip))
            parts += _label(one.name, end - width, top, width, "small on" if kind.startswith("ours") else "small")
    return _svg(parts, 52 + deepest * _LEVEL + 10)


_OWN = frozenset({"main", "firebreak", "enrichment", "responders"})


def _label(name: str, x: float, top: float, width: float, kind: str) -> Iterator[str]:
    short = name if len(name) * _LETTER < width - 6 else name.rpartition(".")[2]
    if len(short) * _LETTER < width - 6:
        yield _text(x + 3, top + 14, short, kind)


def _box(x: float, y: float, width: float, height: float, kind: str, inner: str = "") -> str:
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.0f}" width="{width:.1f}" height="{height:.0f}">{inner}</rect>'


def _text(x: float, y: float, words: str, kind: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.0f}" class="{kind}">{escape(words)}</text>'


def _svg(parts: Iterable[str], height: float) -> str:
    size = f'width="{_WIDTH}" height="{height:.0f}" viewBox="0 0 {_WIDTH} {height:.0f}"'
    body = "\n".join(parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">\n{_STYLE}\n{body}\n</svg>\n'
