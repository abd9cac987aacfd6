"""A message as lines of plain text: where no markup is shown, and for programs that read it aloud."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from firebreak.core.messages.message import Message


def plain_text(message: Message, most: int = 0, written: Callable[[str], str] = str) -> str:
    """The whole message; with `most`, as many whole lines as fit into so many bytes, each as it is `written`."""
    kept, room = list[str](), most or 1_000_000
    for line in map(written, lines(message)):
        room -= len(line.encode()) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join(kept)


def entities(text: str) -> str:
    """The text without what begins a tag, a link or a mention, as Slack and Google Chat write these three letters."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def lines(message: Message) -> Iterator[str]:
    """Line by line, the most important first."""
    yield message.title
    yield f"now: {message.now}"
    yield f"asked of you: {message.asked}"
    yield f"until: {message.until}"
    yield from (f"{one.word}: {one.command}{one.effect and f'  ({one.effect})'}" for one in message.steps)
    yield from (f"{row.word}: {row.text}" for row in message.facts)
    if message.why:
        yield f"why: {message.why}"
    yield from message.changes
    if message.answered:
        yield f"answered: {message.answered}"
    yield f"undo: {message.undo_by}"
    yield from message.undo
    yield from (f"still open: {one}" for one in message.still_open)
    if message.last:
        yield f"last: {message.last}"
    yield from (f"{one.name}: {one.url}" for one in message.links)
    yield f"incident {message.incident} ({message.id})"
