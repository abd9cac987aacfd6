"""docs/pictures/: each kind of message as its receiver sees it, drawn from the very JSON that is sent.

The drawing is ours, not Slack's or Google's: blocks and cards with their texts, links and code, in a column as wide as
theirs. What it shows is what the payload says.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from firebreak.core.channels import channel
from firebreak.core.messages.composing import compose
from firebreak.core.messages.delivery import Address
from tests.core.message_kinds import KINDS

FOLDER = "docs/pictures"
_WIDTH, _MARGIN, _SIZE = 760, 20, 14
_WIDE = {"plain": 7.8, "bold": 8.2, "code": 7.9, "link": 7.8, "small": 6.1, "title": 11.4}
"""Pixels of an average letter: generous, so that no line is cut."""
_STYLES = {
    "plain": "",
    "bold": "font-weight:bold",
    "code": "font-family:monospace;font-size:13px;fill:#8a2424",
    "link": "fill:#1264a3;text-decoration:underline",
    "small": "font-size:12px;fill:#616061",
    "title": "font-size:18px;font-weight:bold",
}


@dataclass(frozen=True)
class Run:
    """Letters of one style."""

    text: str
    style: str = "plain"


Paragraph = tuple[Run, ...]


def pictures() -> Mapping[str, str]:
    """Path to SVG, for every kind of message in Slack, and for two of them in Google Chat."""
    drawn = {f"{FOLDER}/slack-{_file(name)}.svg": _svg(_slack(_body("slack", name))) for name in KINDS}
    cards = {f"{FOLDER}/chat-{name}.svg": _svg(_card(_body("google_chat", name))) for name in ("asked", "contained")}
    return drawn | cards


def _file(name: str) -> str:
    return name.replace(" ", "-")


def _body(kind: str, name: str) -> Any:  # noqa: ANN401 - JSON
    message = compose(KINDS[name], f"{KINDS[name].id}/1/{kind}", runbook="https://wiki.acme.example/firebreak")
    return json.loads(channel(kind).requests(message, Address("https://chat.invalid/x"))[0].body)


def _slack(body: Mapping[str, Any]) -> Iterator[Paragraph]:
    for block in body["blocks"]:
        if block["type"] == "header":
            yield (Run(block["text"]["text"], "title"),)
        elif block["type"] == "context":
            yield from ((Run(one["text"], "small"),) for one in block["elements"])
        else:
            for element in block["elements"]:
                literal = element["type"] == "rich_text_preformatted"
                runs = [_run(one, literal=literal) for one in element["elements"]]
                yield from _split(runs)
        yield ()


def _run(element: Mapping[str, Any], *, literal: bool) -> Run:
    style = "code" if literal else next(iter(element.get("style", {})), "plain")
    return Run(element["text"], "link" if element["type"] == "link" else style)


def _card(body: Mapping[str, Any]) -> Iterator[Paragraph]:
    card = body["cardsV2"][0]["card"]
    yield (Run(card["header"]["title"], "title"),)
    yield (Run(card["header"]["subtitle"], "small"),)
    for section in card["sections"]:
        yield ()
        if "header" in section:
            yield (Run(section["header"], "bold"),)
        for widget in section["widgets"]:
            yield from _widget(widget)


def _widget(widget: Mapping[str, Any]) -> Iterator[Paragraph]:
    if "buttonList" in widget:
        yield tuple(Run(f"[ {one['text']} ]  ", "link") for one in widget["buttonList"]["buttons"])
        return
    (part,) = widget.values()
    text = part["text"].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    label = (Run(f"{part['topLabel']}: ", "bold"),) if "topLabel" in part else ()
    for number, line in enumerate(text.split("<br>")):
        yield (*(label if number == 0 else ()), Run(line))
    if "bottomLabel" in part:
        yield (Run(part["bottomLabel"], "small"),)


def _split(runs: Iterable[Run]) -> Iterator[Paragraph]:
    """One paragraph for each line of the text."""
    line: list[Run] = []
    for run in runs:
        first, *others = run.text.split("\n")
        line.append(Run(first, run.style))
        for other in others:
            yield tuple(line)
            line = [Run(other, run.style)]
    if any(run.text for run in line):
        yield tuple(line)


def _wrapped(paragraph: Paragraph) -> Iterator[Paragraph]:
    """Lines as wide as the picture, broken between words, and a word that is longer within."""
    room, line = float(_WIDTH - 2 * _MARGIN), list[Run]()
    for run in paragraph:
        for word in _words(run.text, int(room / _WIDE[run.style])):
            wide = len(word) * _WIDE[run.style]
            if line and sum(len(one.text) * _WIDE[one.style] for one in line) + wide > room:
                yield tuple(line)
                line = []
            line.append(Run(word, run.style))
    yield tuple(line)


def _words(text: str, longest: int) -> Iterator[str]:
    for word in text.replace(" ", " \0").split("\0"):
        yield from (word[at : at + longest] for at in range(0, len(word), longest))


def _svg(paragraphs: Iterable[Paragraph]) -> str:
    drawn, below = list[str](), _MARGIN + _SIZE
    for paragraph in paragraphs:
        for line in _wrapped(paragraph) if paragraph else ():
            spans = "".join(f'<tspan style="{_STYLES[one.style]}">{escape(one.text)}</tspan>' for one in line)
            drawn.append(f'<text x="{_MARGIN}" y="{below}" xml:space="preserve">{spans}</text>')
            below += 22 if line and line[0].style == "title" else 19
        below += 8 if not paragraph else 0
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{below}"'
    frame = f'<rect width="{_WIDTH}" height="{below}" rx="6" fill="#ffffff" stroke="#bbbbbb"/>'
    font = f'font-family="Helvetica,Arial,sans-serif" font-size="{_SIZE}px" fill="#1d1c1d"'
    return "\n".join([f"{head} {font}>", frame, *drawn, "</svg>", ""])
