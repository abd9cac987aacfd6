"""What other products, and tired people, call things; and how what they wrote is written here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from firebreak.core.diagnostics import nearest_word
from firebreak.core.facts import Fact, FactType
from firebreak.core.policy.clause import Operator


def _by_word(table: Mapping[str, str]) -> dict[str, str]:
    return {word: meant for meant, words in table.items() for word in words.split()}


OPERATORS: Mapping[Operator, str] = {
    Operator.GLOB: "matches regex regexp match like pattern starts_with ends_with prefix suffix wildcard",
    Operator.AT_LEAST: ">= > ge gte gt min minimum greater_than more_than not_below after since from",
    Operator.AT_MOST: "<= < le lte lt max maximum less_than fewer_than not_above before until to",
    Operator.IN: "any one_of any_of in_list is_in = == eq is",
    Operator.NOT_IN: "not != ne none_of not_equals not_equal is_not not_one_of nin",
    Operator.CONTAINS: "has includes include label contain",
    Operator.CONTAINS_ANY: "intersect intersects has_any any_of in",
    Operator.CONTAINS_ALL: "has_all all_of superset",
    Operator.NEWER_THAN: "younger_than within last newer age_below less_than",
    Operator.OLDER_THAN: "older age_above more_than",
    Operator.EXISTS: "present known defined is_set null missing",
}
GROUPS: Mapping[str, str] = _by_word({"any_of": "or any one_of either", "none_of": "not none no unless"})
GROUP_FORMS: Mapping[str, str] = {
    "any_of": "any_of: [{FACT: VALUE}, {FACT: VALUE}], of which one must hold",
    "none_of": "none_of: [{FACT: VALUE}], of which none may hold",
}
ALL = ("all_of", "all", "and")
ALL_FORM = "the facts of one mapping must all hold, so write them below each other"
POLICY_KEYS: Mapping[str, str] = _by_word(
    {
        "id": "name title policy rule key",
        "when": "if condition conditions match matches where filter filters trigger rules on",
        "then": "action actions do steps run respond response remediation",
        "mode": "level enforcement effect",
        "notify": "alert alerts notification notifications channel channels owners contacts",
        "approve_within": "timeout expires expires_after approval_timeout",
        "examples": "example tests test cases",
        "description": "desc summary comment",
    }
) | {
    **dict.fromkeys(
        ("priority", "order", "weight", "precedence"),
        "rename the file, because policies are tried in the order of their files' names, and in a file from the top",
    ),
    **dict.fromkeys(
        ("enabled", "disabled", "active", "dry_run"), "say `mode: monitor`, or move the file out of the folder"
    ),
    **dict.fromkeys(
        ("otherwise", "else", "fallback", "accept_irreversible"), "it belongs to a step, as {action: …, otherwise: […]}"
    ),
    **dict.fromkeys(
        ("exclude", "excludes", "except", "exceptions", "ignore", "unless", "allowlist"),
        "what it is not about belongs below `when`, as none_of: [{FACT: VALUE}] or {not_in: [VALUE]}",
    ),
    **dict.fromkeys(("approvers",), "who may approve is a matter of who may use the command"),
    **dict.fromkeys(("and", "or", "not", "any_of", "none_of", "all_of"), "it belongs below `when`, indented"),
    **dict.fromkeys(("given", "expect"), "it belongs to an example, in the list `examples`"),
    **dict.fromkeys(
        ("organization", "sources", "ceiling", "ceilings", "sets", "protected", "limits", "stale_after", "drill"),
        "it belongs to firebreak.yaml",
    ),
}
CONFIG_KEYS: Mapping[str, str] = {
    **_by_word(
        {
            "organization": "org organization_id organisation org_id",
            "ceiling": "mode max_mode level enforcement",
            "protected": "protect exclude exclusions excluded ignore ignored allowlist whitelist",
            "sources": "source scc_sources",
            "limits": "limit rate_limits blast_radius",
            "stale_after": "stale max_age",
            "notify": "channels notifications alerts routing",
        }
    ),
    **dict.fromkeys(("per_hour", "per_project_per_hour"), "it belongs below `limits`, indented"),
    **dict.fromkeys(("enabled", "disabled", "dry_run"), "say `ceiling: monitor`, or use `firebreak halt`"),
    **dict.fromkeys(("policies", "rules"), "policies are files of their own, beside this one"),
}
EXAMPLE_KEYS: Mapping[str, str] = _by_word(
    {"expect": "result expected expects outcome want wanted should", "given": "input inputs facts when if with"}
)
STEP_KEYS: Mapping[str, str] = _by_word(
    {"otherwise": "else fallback on_failure or_else", "action": "name type do run uses"}
) | dict.fromkeys(("params", "parameters", "args", "with", "options"), "write the parameters beside `action`")
FACTS: Mapping[str, str] = _by_word(
    {
        "workload.location": "workload.region workload.zone region zone",
        "workload.name": "workload.service workload.job workload.id service service_name job_name",
        "workload.public": "workload.exposed workload.internet_facing workload.unauthenticated",
    }
)
MODES: Mapping[str, str] = _by_word(
    {
        "monitor": "dry_run dry-run dryrun audit log alert observe detect report off disabled notify warn none test",
        "approve": "ask manual review approval confirm human",
        "enforce": "block contain auto automatic act on prevent protect enabled respond deny active",
    }
)
MODES_TOLD: Mapping[str, str] = {"shadow": "write `shadow: true` beside the mode that it is to have"}
ON_EXPIRY: Mapping[str, str] = _by_word(
    {
        "contain": "enforce act block auto automatic",
        "escalate": "ask again remind notify repeat monitor wait",
    }
)
ACTIONS: Mapping[str, str] = _by_word(
    {
        "pin_previous_revision": "rollback roll_back revert previous_revision restore pin",
        "cut_traffic": "isolate quarantine block block_traffic stop_traffic deny drop_traffic no_traffic",
        "suspend": "stop pause scale_to_zero shutdown",
        "revoke_public_access": "make_private unexpose remove_public_access deny_all_users",
        "disable_service_account": "disable_identity disable_sa revoke_credentials",
        "cancel_executions": "cancel kill stop_executions",
        "block_runs": "disable_job stop_job",
    }
)
CEILING_KEYS: Mapping[str, str] = _by_word({"ceiling": "mode max_mode maximum level", "project": "projects project_id"})
CHANNEL_KEYS: Mapping[str, str] = {
    "type": "kind",
    **dict.fromkeys(
        ("webhook", "webhook_url", "hook", "token", "key", "password"),
        "it is a secret: write `secret`, the name of the variable that has it, which begins with FIREBREAK_NOTIFY_",
    ),
}
NOTHING = ("none", "null", "false", "no_match", "no", "ignore", "skip", "~")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400, "30d": 30 * 86_400}
_NAMES = _by_word(
    {
        "s": "sec secs second seconds",
        "m": "min mins minute minutes",
        "h": "hr hrs hour hours",
        "d": "day days",
        "w": "wk wks week weeks",
        "y": "yr yrs year years",
        "30d": "mo mos month months",
    }
)
_DURATION = re.compile(r"p?t?(?:\s*[0-9]{1,6}(?:\.[0-9]{1,3})?\s*[a-z]{1,8}\s*,?)+", re.IGNORECASE)
_PART = re.compile(r"([0-9.]+)\s*([a-z]+)", re.IGNORECASE)
_COMPARED = re.compile(r"(==?|!=|<>|>=|=>|<=|=<|>|<|!|not(?=\s)|is(?=\s))\s*(\S.*)", re.DOTALL)
_ALTERNATIVES = re.compile(r"\s*(?:\bor\b|\|\|?|,)\s*")
_LIKE_A_REGEX = re.compile(r"^\^|\$$|(?:^|[-_)\].])\.[*+]|\\[.dws]|\[[^\]]*\][*+]?|\([^)]*\|[^)]*\)")


def duration(text: str) -> str | None:
    """`1hour`, `1h30m`, `0.5h`, `PT1H`, `2 weeks` as policies write them; None for anything else, or no time."""
    if not _DURATION.fullmatch(text.strip()):
        return None
    parts = [(float(number), unit.lower()) for number, unit in _PART.findall(text)]
    units = [_UNITS.get(_NAMES.get(unit, unit)) for _, unit in parts]
    if re.match(r"(?i)p[^t]*m", text.strip()):
        return None  # months, which have no length
    if None in units:
        return None
    seconds = round(sum(number * (size or 0) for (number, _), size in zip(parts, units, strict=True)))
    unit = next((one for one in "dhms" if seconds % _UNITS[one] == 0), "s")
    return f"{seconds // _UNITS[unit]}{unit}" if seconds else None


def clause(text: str, fact: Fact) -> str | None:
    """How a value with a comparison in it, as `>= 10`, `not job` or `a or b`, is written; None for a plain value."""
    found = _COMPARED.fullmatch(text)
    if found is None:
        parts = _ALTERNATIVES.split(text)
        several = len(parts) > 1 and all(one in fact.choices for one in parts)
        return f"{{in: [{', '.join(parts)}]}}" if several else None
    sign, value = found[1], found[2].strip()
    if sign in ("==", "=", "is"):
        return value
    if sign in ("!=", "<>", "!", "not"):
        other = {"true": "false", "false": "true"}.get(value.lower(), value)
        return other if fact.type is FactType.BOOL else f"{{not_in: [{value}]}}"
    if fact.type not in (FactType.NUMBER, FactType.TIME) and not fact.ordered:
        return None
    step = {">": 1, "<": -1}.get(sign, 0) if value.isdigit() else 0
    bound = str(int(value) + step) if step else value
    return f"{{{'at_least' if '>' in sign else 'at_most'}: {bound}}}"


def as_glob(pattern: str) -> str | None:
    """The glob that a regular expression was meant as, or the expression where there is none; None for a glob."""
    bare = pattern[1:-1] if len(pattern) > 2 and pattern[0] == pattern[-1] == "/" else pattern  # noqa: PLR2004 - slashes
    if bare == pattern and not _LIKE_A_REGEX.search(pattern):
        return None
    for old, new in ((r"^\^|\$$", ""), (r"\.\*", "*"), (r"\.\+", "?*"), (r"\\\.", ".")):
        bare = re.sub(old, new, bare)
    return bare if bare and not re.search(r"[\\()\[\]|^$+]", bare) else pattern


def nearest_fact(word: str, names: Iterable[str]) -> str | None:
    """The fact that is meant by a word: what others call it so, of its own source the one most like it, or any."""
    known = tuple(names)
    source, _, last = word.lower().rpartition(".")
    if word.lower() in FACTS:
        return FACTS[word.lower()]
    if of_source := {one.partition(".")[2]: one for one in known if one.startswith(f"{source}.")}:
        near = nearest_word(last, of_source)  # without the source, which would make all of its facts alike
        return of_source[near] if near else _last(last, known)
    return nearest_word(word, known) or _last(last, known)


def _last(word: str, names: Iterable[str]) -> str | None:
    """The fact that is called so by its source, whichever that is."""
    return next((one for one in names if one.rpartition(".")[2] == word), None)
