"""docs/guards.md, made of the probes; `make generate` writes it."""

from __future__ import annotations

from tests.guards.probes_of_accounts import ACCOUNTS
from tests.guards.probes_of_files import FILES
from tests.guards.probes_of_findings import FINDINGS
from tests.guards.probes_of_guards import BARS, CAUTIONS, CONTROLS, NEAR_NAMES
from tests.guards.probing import Probe

GROUPS: dict[str, tuple[str, tuple[Probe, ...]]] = {
    "What people write": (
        "A guard that is misspelt, or could never hold, is no guard. Firebreak does not start with one.",
        FILES,
    ),
    "Who aims": (
        "Whoever can publish to the topic, or create findings, could aim a responder. The message says where to look.",
        FINDINGS,
    ),
    "Bars": ("Only the record is left, and no approval overrules them.", BARS),
    "Cautions and missing answers": (
        "A person is asked. Less evidence never makes Firebreak act alone, and never makes it stay silent.",
        CAUTIONS,
    ),
    "Identities that others share": (
        "Disabling a service account stops whatever runs as it. A person is asked each time, and told who that is.",
        ACCOUNTS,
    ),
    "Near names": ("Names are compared as parsed parts, and patterns fit the whole word.", NEAR_NAMES),
}
_HEAD = """# The guards, probed

<!-- Made by `make generate` from tests/guards/; not edited by hand. -->

Every line is run by `make thorough`: what people write through the loader, the rest through the whole line over the
wire, on a service that Firebreak would otherwise contain. What it did is compared word for word, and nothing may be
written in any of the {count} probes. The controls at the end have nothing wrong: guards that stop everything prove
nothing.
"""


def page() -> str:
    """The whole document."""
    sections = [_section(title, about, probes) for title, (about, probes) in GROUPS.items()]
    count = sum(len(probes) for _, probes in GROUPS.values())
    return "\n".join((_HEAD.format(count=count), *sections, _controls()))


def _controls() -> str:
    rows = [f"| {_cell(one.tried)} | {_cell(one.did)} |" for one in CONTROLS]
    return "\n".join(("## Controls\n", "| tried | Firebreak |\n|---|---|", *rows)) + "\n"


def _section(title: str, about: str, probes: tuple[Probe, ...]) -> str:
    head = "| tried | a careless system | Firebreak |\n|---|---|---|"
    rows = [f"| {_cell(one.tried)} | {_cell(one.careless)} | {_cell(one.did)} |" for one in probes]
    return "\n".join((f"## {title}\n\n{about}\n", head, *rows)) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
