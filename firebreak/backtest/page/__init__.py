"""The report as one HTML file that needs nothing beside it: it opens from disk, in light and dark, and tables sort.

Plots are by Chart.js (chart.LICENSE.txt), which is in the file. The only script and style that run are those whose
hashes the file names; nothing is fetched.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from firebreak.core.diagnostics import printable

_MODES = ("enforce", "approve", "monitor", "nothing")
_COLORS = (*_MODES, "dim", "line")
"""What plots ask the style sheet for."""
_LONG = frozenset({"workload", "clause"})
_HERE = Path(__file__).parent


def page(shown: Mapping[str, Any]) -> str:
    """The whole file; `shown` is the report as programs get it."""
    says = str(shown["says"])
    span = f"from {shown['from']} to {shown['until']}" if shown["from"] else "no time at all"
    changes, limits = shown["changes"], shown["limits"]
    held = f"; held back by limits: {limits['held_back']:,}" if limits["held_back"] else ""
    begun = f", from {limits['busiest_from']}" if limits["busiest_from"] else ""
    busiest = f"Busiest hour: {limits['busiest_hour']:,} contained of {limits['per_hour']:,}{begun}{held}."
    parts = [
        f"<h1>{_text(says[:1].upper() + says[1:])}.</h1>",
        f"<p class=dim>{_text(span)}, policies {_text(shown['policy_set'][:12])}</p>",
        *(f"<p>--fail-if {_text(one)}: it is {count:,}</p>" for one, count in shown.get("beyond", {}).items()),
        *([_counts(shown["by_mode"])] if shown["findings"] else []),
        _section("In shadow, beside what decides: in none of the other figures", _shadow(shown["in_shadow"])),
        _section("What it rests on", _ground(shown)),
        _section("What would have been wrong", _wrong(shown["wrong"], shown["judged"])),
        _section("How it would have gone", _course(shown["went"])),
        _section("By week, from its Monday", _modes("week", shown["by_week"])),
        _section("By policy", _modes("policy", shown["by_policy"])),
        *([_section("Not compared", f"<p>{_text(told)}</p>")] if (told := shown.get("not_compared")) else []),
        *([_section(_against(changes), _changes(changes))] if changes else []),
        _section("What held, and what alone kept a policy from deciding", _clauses(shown["clauses"])),
        _section("Limits", f"<p>{_text(busiest)}</p>"),
        _section("Workloads that are touched most", _rows(shown["workloads"], "workload enforced asked protected")),
        _section("Owners that are touched most", _rows(shown["owners"], "owner findings")),
        _section("What to know before you believe it", _list(shown["caveats"])),
        _list(shown["unread"]["lines"]),
    ]
    return _framed("\n".join(parts))


def _framed(body: str) -> str:
    style, scripts = _asset("page.css"), (_asset("chart.umd.min.js"), _asset("page.js"))
    allowed = " ".join(map(_hash, scripts))
    only = f"default-src 'none'; style-src {_hash(style)}; script-src {allowed}; base-uri 'none'; form-action 'none'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{only}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Firebreak: backtest</title><style>{style}</style></head>\n<body><main>\n{body}\n</main>"
        f"<span hidden>{''.join(f'<i class=key-{one}></i>' for one in _COLORS)}</span>\n"
        + "".join(f"<script>{one}</script>\n" for one in scripts)
        + "</body></html>\n"
    )


@functools.cache
def _asset(name: str) -> str:
    """A file that lies here. Where its maker keeps what it was made from is nothing to ask for."""
    text = (_HERE / name).read_text(encoding="utf-8")
    return text.partition("\n//# sourceMappingURL=")[0]


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _text(value: object) -> str:
    """Words of anybody's, which can be neither markup nor what reorders the line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return escape(printable(f"{value:,}" if isinstance(value, int) else str(value)), quote=True)


def _shadow(found: Mapping[str, Any]) -> str:
    columns = "policy enforce approve monitor right wrong not_judged differs"
    told = [
        {"policy": name, **one["by_mode"], **one, "differs": one["differs"]["count"]} for name, one in found.items()
    ]
    return _rows(told, columns)


def _section(title: str, inside: str) -> str:
    return f"<section><h2>{_text(title)}</h2>{inside}</section>" if inside else ""


def _list(texts: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{_text(one)}</li>' for one in texts)}</ul>" if texts else ""


def _counts(modes: Mapping[str, int]) -> str:
    told = (f"<div class={mode}><dt>{mode}</dt><dd>{_text(modes[mode])}</dd></div>" for mode in _MODES)
    return f"<dl class=counts>{''.join(told)}</dl>"


def _ground(shown: Mapping[str, Any]) -> str:
    lines = [
        f"decided on evidence recorded then: {shown['decided_on_recorded']:,}",
        *([f"decided on what VirusTotal says now: {shown['decided_on_today']:,}"] if shown.get("enriched") else []),
        *(
            [f"on records that were pulled without verifying their seal: {count:,}"]
            if (count := shown["unverified"])
            else []
        ),
        f"hanging on a source without an answer: {shown['hanging']:,}",
        *(f"waiting for {name}: {count:,}" for name, count in shown["waiting_on"].items()),
        *(f"left aside, {why}: {count:,}" for why, count in shown["left_aside"].items()),
        *(f"held back by {name}: {count:,}" for name, count in shown["held_back_by"].items()),
    ]
    return _list(lines)


def _course(went: Mapping[str, int]) -> str:
    return f"<p>{_text(', '.join(f'{word} {count:,}' for word, count in went.items()))}</p>" if went else ""


def _clauses(clauses: Sequence[Mapping[str, Any]]) -> str:
    """The one that most often was alone in its way first."""
    ranked = sorted(clauses, key=lambda one: -int(one["alone"]))
    return _rows(ranked, "policy clause held failed unknown alone")


def _wrong(wrong: Mapping[str, Any], judged: Mapping[str, int]) -> str:
    if not judged:
        return "<p>Not known: nobody has said what these findings were.</p>"
    known = ", ".join(f"{name} {count:,}" for name, count in judged.items())
    told = (
        f"Enforced {wrong['enforced']:,}, asked {wrong['asked']:,} on false positives and benign ones; judged: {known}."
    )
    shown = _rows(wrong["findings"], "id at workload policy mode closed_as")
    return f"<p>{_text(told)}</p>{shown}{_more(wrong)}"


def _against(changes: Mapping[str, Any]) -> str:
    return f"Against {changes['against']}: {changes['count']:,} decided otherwise"


def _changes(changes: Mapping[str, Any]) -> str:
    told = [f"{way}: {count:,}" for way, count in changes["ways"].items()]
    if changes["worse"]:
        told.append(f"worse, on what people found to be nothing: {changes['worse']:,}")
    ways = _list(told)
    columns = "id at workload old_policy old_mode new_policy new_mode closed_as"
    return ways + _rows(changes["findings"], columns) + _more(changes)


def _more(told: Mapping[str, Any]) -> str:
    left = told["count"] - len(told["findings"])
    return f"<p class=dim>and {left:,} more</p>" if left > 0 else ""


def _modes(what: str, counted: Mapping[str, Mapping[str, int]]) -> str:
    """A plot, and the table that has its figures: folded up where it is one of weeks."""
    if not counted:
        return ""
    across, modes = ("yes" if what == "policy" else "no"), " ".join(_MODES)
    keys = "".join(
        f"<button type=button class={one} aria-pressed={'false' if one == 'nothing' else 'true'}>{one}</button>"
        for one in _MODES
    )
    table = _table(
        (what, *_MODES), ([_cell(name), *(_cell(of[one]) for one in _MODES)] for name, of in counted.items())
    )
    return (
        f"<div class=keys hidden>{keys}</div>"
        f'<div class=plot data-across={across} data-modes="{modes}" hidden>'
        f'<canvas role=img aria-label="Findings by {what}; the table below has the figures"></canvas></div>'
        f"<details{' open' if what == 'policy' else ''}><summary>Figures by {what}</summary>{table}</details>"
    )


def _rows(values: Sequence[Mapping[str, Any]], columns: str) -> str:
    names = columns.split()
    return _table(names, ([_cell(one.get(name, ""), name) for name in names] for one in values)) if values else ""


def _cell(value: object, name: str = "") -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f'<td class=number data-value="{value}">{_text(value)}'
    kind = " class=long" if name in _LONG else ""
    return f"<td{kind}>{_text(value)}"


def _table(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """One that its heads sort, by mouse and keyboard; too wide a one is moved within itself, by keyboard too."""
    rows = list(lines)
    numbers = [cell.startswith("<td class=number") for cell in rows[0]] if rows else []
    head = "".join(
        f"<th scope=col{' class=number' if number else ''}><button type=button>{_text(one.replace('_', ' '))}</button>"
        for one, number in zip(columns, numbers, strict=True)
    )
    body = "".join("<tr>" + "".join(one) for one in rows)
    region = f'<div class=wide tabindex=0 role=region aria-label="By {_text(columns[0])}">'
    return f"{region}<table><thead><tr>{head}<tbody>{body}</table></div>"
