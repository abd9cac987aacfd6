"""The report as one HTML file that needs nothing beside it: it opens from disk, in light and dark, and tables sort."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from firebreak.core.diagnostics import printable

_MODES = ("enforce", "approve", "monitor", "nothing")
_STYLE = """
:root { color-scheme: light dark; --line: light-dark(#d0d7de, #3d444d); --dim: light-dark(#57606a, #9198a1);
  --enforce: light-dark(#cf222e, #f47067); --approve: light-dark(#9a6700, #d29922);
  --monitor: light-dark(#0969da, #4493f8); --nothing: light-dark(#8c959f, #656c76); }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
  background: light-dark(#fff, #0d1117); color: light-dark(#1f2328, #f0f6fc); }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.dim { color: var(--dim); } .wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; } td, th { padding: .3rem .6rem; border-bottom: 1px solid var(--line);
  text-align: left; overflow-wrap: anywhere; } .number { text-align: right; font-variant-numeric: tabular-nums; }
th button { all: unset; cursor: pointer; font-weight: 600; } th button:focus-visible { outline: 2px solid; }
.bar { display: flex; height: .8rem; min-width: 8rem; } .bar span { display: block; }
""" + "".join(f".{mode} {{ background: var(--{mode}); }}\n" for mode in _MODES)
_SORT = """
for (const button of document.querySelectorAll("th button")) button.onclick = () => {
  const head = button.parentElement, at = [...head.parentElement.children].indexOf(head);
  const body = head.closest("table").tBodies[0], up = head.ariaSort !== "ascending";
  const of = (row) => row.children[at].dataset.value ?? row.children[at].textContent;
  const rows = [...body.rows].sort((a, b) => of(a).localeCompare(of(b), "en", {numeric: true}) * (up ? 1 : -1));
  for (const other of head.parentElement.children) other.ariaSort = "none";
  head.ariaSort = up ? "ascending" : "descending";
  body.append(...rows);
};
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def page(shown: Mapping[str, Any]) -> str:
    """The whole file; `shown` is the report as programs get it."""
    says = str(shown["says"])
    span = f"from {shown['from']} to {shown['until']}" if shown["from"] else "no time at all"
    wrong, changes, limits = shown["wrong"], shown["changes"], shown["limits"]
    parts = [
        f"<h1>{_text(says[:1].upper() + says[1:])}.</h1>",
        f"<p class=dim>{_text(span)}, policies {_text(shown['policy_set'][:12])}</p>",
        _legend(),
        _section("What it rests on", _ground(shown)),
        _section("What would have been wrong", _wrong(wrong, shown["judged"])),
        *(
            [_section(f"Against {changes['against']}: {changes['count']:,} decided otherwise", _changes(changes))]
            if changes
            else []
        ),
        _section("By policy", _modes("policy", shown["by_policy"])),
        _section("By week, from its Monday", _modes("week", shown["by_week"])),
        _section(
            "Limits",
            f"<p>Busiest hour: {limits['busiest_hour']:,} contained of {limits['per_hour']:,};"
            f" held back by limits: {limits['held_back']:,}.</p>",
        ),
        _section(
            "Workloads that are touched most", _rows(shown["workloads"], ("workload", "enforced", "asked", "protected"))
        ),
        _section("What to know before you believe it", _list(shown["caveats"])),
        _list(shown["unread"]["lines"]),
    ]
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Firebreak: backtest</title><style>{_STYLE}</style>\n"
        + "\n".join(parts)
        + f"\n<script>{_SORT}</script></html>\n"
    )


def _text(value: object) -> str:
    """Words of anybody's, which can be neither markup nor what reorders the line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return escape(printable(f"{value:,}" if isinstance(value, int) else str(value)), quote=True)


def _section(title: str, inside: str) -> str:
    return f"<section><h2>{_text(title)}</h2>{inside}</section>" if inside else ""


def _list(texts: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{_text(one)}</li>' for one in texts)}</ul>" if texts else ""


def _legend() -> str:
    return f"<p class=dim>{' '.join(f'<span class={one}>&emsp;</span> {one}' for one in _MODES)}</p>"


def _ground(shown: Mapping[str, Any]) -> str:
    lines = [
        f"decided on evidence recorded then: {shown['decided_on_recorded']:,}",
        f"hanging on a source without an answer: {shown['hanging']:,}",
        *(f"waiting for {name}: {count:,}" for name, count in shown["waiting_on"].items()),
        *(f"held back by {name}: {count:,}" for name, count in shown["held_back_by"].items()),
    ]
    return _list(lines)


def _wrong(wrong: Mapping[str, Any], judged: Mapping[str, int]) -> str:
    if not judged:
        return "<p>Not known: nobody has said what these findings were.</p>"
    known = ", ".join(f"{name} {count:,}" for name, count in judged.items())
    told = (
        f"Enforced {wrong['enforced']:,}, asked {wrong['asked']:,} on false positives and benign ones; judged: {known}."
    )
    return f"<p>{_text(told)}</p>{_rows(wrong['findings'], ('id', 'at', 'workload', 'policy', 'mode', 'closed_as'))}"


def _changes(changes: Mapping[str, Any]) -> str:
    columns = ("id", "at", "workload", "old_policy", "old_mode", "new_policy", "new_mode", "closed_as")
    left = changes["count"] - len(changes["findings"])
    more = f"<p class=dim>and {left:,} more</p>" if left else ""
    return (
        _list([f"{way}: {count:,}" for way, count in changes["ways"].items()])
        + _rows(changes["findings"], columns)
        + more
    )


def _modes(what: str, counted: Mapping[str, Mapping[str, int]]) -> str:
    if not counted:
        return ""
    most = max(sum(modes.values()) for modes in counted.values()) or 1
    lines = (
        [_cell(name), *(_cell(modes[mode]) for mode in _MODES), f"<td>{_bar(modes, most)}"]
        for name, modes in counted.items()
    )
    return _table((what, *_MODES, ""), lines)


def _bar(modes: Mapping[str, int], most: int) -> str:
    parts = (
        f'<span class={mode} style="width:{100 * modes[mode] / most:.2f}%"></span>' for mode in _MODES if modes[mode]
    )
    return f"<div class=bar aria-hidden=true>{''.join(parts)}</div>"


def _rows(values: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    return _table(columns, ([_cell(one.get(name, "")) for name in columns] for one in values)) if values else ""


def _cell(value: object) -> str:
    number = isinstance(value, int) and not isinstance(value, bool)
    return f'<td class=number data-value="{value}">{_text(value)}' if number else f"<td>{_text(value)}"


def _table(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    head = "".join(
        f"<th scope=col><button>{_text(one.replace('_', ' '))}</button>" if one else "<th>" for one in columns
    )
    body = "".join("<tr>" + "".join(one) for one in lines)
    return f"<div class=wide><table><thead><tr>{head}<tbody>{body}</table></div>"
