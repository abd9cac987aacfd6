"""The page on lint, from its rules."""

from __future__ import annotations

from collections.abc import Iterator

from firebreak.core.diagnostics import Rule
from firebreak.policy_language.lint.rules import RULES

GROUPS = {
    "FB1": "Reading",
    "FB2": "Conditions and order",
    "FB3": "Steps",
    "FB4": "Examples",
    "FB5": "firebreak.yaml",
    "FB6": "Silences",
}
_SEVERITIES = {"stops": "fault, does not load", "fault": "fault, loads", "warning": "warning"}
_HEAD = """\
What `firebreak policy lint` and `firebreak policy test` can say, each under a code that never comes to mean anything
else. [Policies](policies.md#7-what-does-not-load-and-what-is-only-a-warning) tells what becomes of each kind; in
short, a *fault, does not load* keeps the function from starting, a *fault, loads* makes `lint` say no, and a
*warning* does so with `--strict` alone.

## Silencing a warning

A comment says that a warning is meant, and why; on the line that the warning names, or above it:

```yaml
# firebreak: allow FB308 because the on-call reads the incidents topic itself
notify: []
```

Several codes stand as `allow FB205, FB308 because …`. The reason is required. What is silenced is counted;
`--show-silenced` tells it with the reasons, and SARIF carries it as suppressed. Only warnings can be silenced: what
does not load, an example that fails or is missing, and a silence that is itself wrong stay. A silence of nothing is a
warning, so that none outlives its cause."""
_CI = """\
## In CI

`--format` is `text`, `json` (as `--json`), `junit`, `sarif` or `github`; exit codes are the same in each: 0 yes, 1
no, 2 wrong usage, 3 something needed could not be reached. Run it at the root of the repository, so that paths are
those of the repository.

GitHub Actions, as annotations, and as code scanning (of annotations GitHub shows ten of each kind a step):

```yaml
permissions: {contents: read, security-events: write}
steps:
  - run: firebreak policy lint policies --strict --format github
  - run: firebreak policy test policies --format github
  - run: firebreak policy lint policies --format sarif > lint.sarif
    if: always()
  - uses: github/codeql-action/upload-sarif@v3
    if: always()
    with: {sarif_file: lint.sarif, category: firebreak}
```

GitLab, as a test report:

```yaml
policies:
  script:
    - firebreak policy lint policies --format junit > lint.xml
    - firebreak policy test policies --format junit > test.xml
  artifacts:
    when: always
    reports: {junit: [lint.xml, test.xml]}
```

pre-commit, with this repository's hook:

```yaml
repos:
  - repo: https://…/firebreak   # where you keep it
    rev: …
    hooks: [{id: firebreak-policy-lint, files: '^policies/.*\\.ya?ml$', args: [--strict]}]
```

In JUnit a warning is a test that passed and printed something, or with `--strict` one that failed; what is silenced
is skipped. In SARIF both kinds of fault are of level `error`."""


def lint_page() -> Iterator[str]:
    """How to silence, how to use it in CI, then every rule with an example that a test holds it to."""
    yield from (_HEAD, "", _CI)
    for group, title in GROUPS.items():
        rules = [one for one in RULES if one.code.startswith(group)]
        yield from ("", f"## {title}", "", "| code | name | kind | what it catches |", "|---|---|---|---|")
        for rule in rules:
            link = f"[{rule.code}](#{rule.code.lower()}-{rule.name})"
            yield f"| {link} | {rule.name} | {_kind(rule)} | {rule.meaning.replace('|', chr(92) + '|')} |"
        for rule in rules:
            yield from ("", f"### {rule.code} {rule.name}", "", *_described(rule))


def _kind(rule: Rule) -> str:
    return f"{_SEVERITIES[rule.severity]}, of `policy test`" if rule.by == "test" else _SEVERITIES[rule.severity]


def _described(rule: Rule) -> Iterator[str]:
    shown = "".join(char if char.isprintable() or char == "\n" else f"<U+{ord(char):04X}>" for char in rule.example)
    yield from (f"{rule.meaning} {rule.remedy}", "", "```yaml", shown, "```")
