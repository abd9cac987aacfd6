"""Probes of what people write: firebreak.yaml, policies, the environment. None of these may start."""

from __future__ import annotations

from tests.guards.probing import CONFIG_FILE, Probe, files, settings
from tests.response.harness import ALWAYS

_PROTECTED = CONFIG_FILE + "protected: [{project: payments-prod}]\n"
_UNPROTECTED = "ignores what it does not know; nothing is protected, and it acts"
_LAST_WINS = "the last one wins in most YAML readers, and it acts"


def _when(clause: str) -> str:
    return ALWAYS.replace("when: {", f"when: {{{clause}, ")


FILES: tuple[Probe, ...] = (
    files(
        "`protcted:` in firebreak.yaml",
        _UNPROTECTED,
        "does not start: firebreak.yaml:4: firebreak.yaml has no key `protcted`; did you mean `protected`?",
        _PROTECTED.replace("protected", "protcted"),
    ),
    files(
        "`Protected:`, in the wrong case",
        _UNPROTECTED,
        "does not start: firebreak.yaml:4: firebreak.yaml has no key `Protected`; did you mean `protected`?",
        _PROTECTED.replace("protected", "Protected"),
    ),
    files(
        "`stale-after:`, with a hyphen",
        "ignores it and keeps its own default",
        "does not start: firebreak.yaml:4: firebreak.yaml has no key `stale-after`; did you mean `stale_after`?",
        CONFIG_FILE + "stale-after: 5m\n",
    ),
    files(
        "`projct:` in a protected entry",
        "an entry without a known part covers nothing, or everything",
        "does not start: firebreak.yaml:4: a protected entry has no key `projct`; did you mean `project`?",
        CONFIG_FILE + "protected: [{projct: payments-prod}]\n",
    ),
    files(
        "a protected entry with nothing in it",
        "covers nothing, and it acts",
        "does not start: firebreak.yaml:4: a protected entry names at least one of project, service, folder and label",
        CONFIG_FILE + "protected: [{}]\n",
    ),
    files(
        "`protected:` with nothing after it",
        "reads an empty list, and it acts",
        "does not start: firebreak.yaml:4: `protected` is a list, not nothing: write its members, or leave it out",
        CONFIG_FILE + "protected:\n",
    ),
    files(
        "`protected:` as one entry instead of a list",
        "iterates over its keys, and it acts",
        "does not start: firebreak.yaml:4: `protected` is a list, not a mapping: begin each of its members with `- `",
        CONFIG_FILE + "protected: {project: payments-prod}\n",
    ),
    files(
        "`folder: folders/456`",
        "compares it with `456`, never equal, and acts",
        'does not start: firebreak.yaml:4: `folder` is the digits of its number in quotes, as "123456789012", not the text `folders/456`',
        CONFIG_FILE + "protected: [{folder: folders/456}]\n",
    ),
    files(
        "`folder: 0456`, without quotes",
        "reads an octal number, 302, and acts",
        "does not start: firebreak.yaml:4: `0456` without quotes: some readers take a leading 0 for octal: leave it out, or put text in quotes",
        CONFIG_FILE + "protected: [{folder: 0456}]\n",
    ),
    files(
        "`project: Payments-Prod`",
        "compares it with `payments-prod`, never equal, and acts",
        "does not start: firebreak.yaml:4: `project` could never be `Payments-Prod` in Google Cloud",
        CONFIG_FILE + "protected: [{project: Payments-Prod}]\n",
    ),
    files(
        "`project: //…/projects/payments-prod`",
        "never equal, and it acts",
        "does not start: firebreak.yaml:4: `project` could never be `//cloudresourcemanager.googleapis.com/projects/payments-prod` in Google Cloud",
        CONFIG_FILE + 'protected: [{project: "//cloudresourcemanager.googleapis.com/projects/payments-prod"}]\n',
    ),
    files(
        "`service: pay*`, a pattern where words are compared",
        "protects a service that is called `pay*`",
        'does not start: firebreak.yaml:4: `service` is compared as it stands: write {glob: "…"} for a pattern',
        CONFIG_FILE + 'protected: [{service: "pay*"}]\n',
    ),
    files(
        "`label: {Tier: critical}`, in the wrong case",
        "no label is called so; nothing is protected, and it acts",
        "does not start: firebreak.yaml:4: no label is called `Tier`",
        CONFIG_FILE + "protected: [{label: {Tier: critical}}]\n",
    ),
    files(
        "`label: tier=critical`",
        "looks for a label of that name, and acts",
        "does not start: firebreak.yaml:4: `label` is a mapping, not the text `tier=critical`: write {tier: critical}",
        CONFIG_FILE + "protected: [{label: tier=critical}]\n",
    ),
    files(
        "`sources: 5678`, not a list",
        "finds every source that begins so",
        'does not start: firebreak.yaml:2: `sources` is a list, not the number `5678`: write ["5678"]',
        CONFIG_FILE.replace('["5678"]', "5678"),
    ),
    files(
        "`sources: [5678]`, a number",
        "compares it with a text, and so on until somebody turns the check off",
        'does not start: firebreak.yaml:2: a source id is the digits of its number in quotes, as "123456789012", not the number `5678`',
        CONFIG_FILE.replace('["5678"]', "[5678]"),
    ),
    files(
        "no `organization`",
        "takes findings of any organization",
        "does not start: firebreak.yaml:1: firebreak.yaml needs the key `organization`",
        'sources: ["5678"]\nceiling: enforce\n',
    ),
    files(
        "`ceiling: monitor` above `ceiling: enforce`",
        _LAST_WINS,
        "does not start: firebreak.yaml:4: the key `ceiling` stands already on line 1",
        "ceiling: monitor\n" + CONFIG_FILE,
    ),
    files(
        "`ceiling: off`",
        "YAML 1.1 reads `false`, which is no ceiling",
        "does not start: firebreak.yaml:3: `off` without quotes: some readers of YAML take it for true or false: write true or false, or put it in quotes",
        CONFIG_FILE.replace("enforce", "off"),
    ),
    files(
        "`ceiling: Monitor`",
        "is no known word, so the default is taken",
        "does not start: firebreak.yaml:3: `ceiling` is one of `monitor`, `approve` or `enforce`, not `Monitor`; did you mean `monitor`?",
        CONFIG_FILE.replace("enforce", "Monitor"),
    ),
    files(
        "`limits: {per_project_per_hr: 1}`",
        "ignores it, and has no limit",
        "does not start: firebreak.yaml:4: `limits` has no key `per_project_per_hr`; did you mean `per_project_per_hour`?",
        CONFIG_FILE + "limits: {per_project_per_hr: 1}\n",
    ),
    files(
        '`limits: {per_hour: "1"}`, a text',
        "a text is greater than any number, so there is no limit",
        "does not start: firebreak.yaml:4: `per_hour` is a whole number, 0 or more, without quotes, not the text `1`",
        CONFIG_FILE + 'limits: {per_hour: "1"}\n',
    ),
    files(
        "`limits: {per_hour: -1}`",
        "means no limit in many systems",
        "does not start: firebreak.yaml:4: `per_hour` is a whole number, 0 or more, without quotes, not the number `-1`",
        CONFIG_FILE + "limits: {per_hour: -1}\n",
    ),
    files(
        "`stale_after: 60`",
        "sixty of what? it takes hours, and acts",
        "does not start: firebreak.yaml:4: `stale_after` is a duration such as 90s, 30m, 4h or 7d, not the number `60`: say of what, as 60s, 60m or 60h",
        CONFIG_FILE + "stale_after: 60\n",
    ),
    files(
        "an anchor and an alias",
        "expands them, bombs included",
        "does not start: firebreak.yaml:4: the anchor &x does not load: write the value out where it is needed",
        CONFIG_FILE + "protected: [&x {project: payments-prod}, *x]\n",
    ),
    files(
        "a key twice in a policy: `mode: monitor`, `mode: enforce`",
        _LAST_WINS,
        "does not start: 10.yaml:4: the key `mode` stands already on line 3",
        policy=ALWAYS.replace("mode: enforce\n", "mode: monitor\nmode: enforce\n", 1),
    ),
    files(
        "`mode: Enforce`",
        "is no known word; some take the default",
        "does not start: 10.yaml:3: `mode` is one of `monitor`, `approve` or `enforce`, not `Enforce`; did you mean `enforce`?",
        policy=ALWAYS.replace("enforce", "Enforce", 1),
    ),
    files(
        "a policy without a mode",
        "takes the default, enforce",
        "does not start: 10.yaml:2: a policy needs the key `mode`",
        policy=ALWAYS.replace("mode: enforce\n", "", 1),
    ),
    files(
        "`exclude:` in a policy, where no such key exists",
        "ignores the exclusion, and acts",
        "does not start: 10.yaml:9: a policy has no key `exclude`: what it is not about belongs below `when`, as none_of: [{FACT: VALUE}]"
        " or {not_in: [VALUE]}",
        policy=ALWAYS + "exclude: {workload.project: payments-prod}\n",
    ),
    files(
        "`workload.projet: {not_in: […]}`",
        "an unknown fact is not in the list, so the clause holds, and it acts",
        "does not start: 10.yaml:4: there is no fact `workload.projet`; did you mean `workload.project`?",
        policy=_when("workload.projet: {not_in: [payments-prod]}"),
    ),
    files(
        "`not_in: payments-prod`, not a list",
        "a letter is not in the text; the clause holds, and it acts",
        "does not start: 10.yaml:4: `not_in` of `workload.project` is a list, not the text `payments-prod`: write [payments-prod]",
        policy=_when("workload.project: {not_in: payments-prod}"),
    ),
    files(
        '`workload.public: "false"`, a boolean as a text',
        "a text that is not empty is true",
        "does not start: 10.yaml:4: `workload.public` is true or false, without quotes, not the text `false`",
        policy=_when('workload.public: "false"'),
    ),
    files(
        "`workload.public: no`",
        "YAML 1.1 reads `false`, YAML 1.2 the text `no`: who knows",
        "does not start: 10.yaml:4: `no` without quotes: some readers of YAML take it for true or false: write true or false, or put it in quotes",
        policy=_when("workload.public: no"),
    ),
    files(
        '`virustotal.malicious: {at_least: "10"}`',
        'compares texts: `"9"` is at least `"10"`',
        "does not start: 10.yaml:4: `at_least` of `virustotal.malicious` is a number, without quotes, not the text `10`",
        policy=_when('virustotal.malicious: {at_least: "10"}'),
    ),
    files(
        "`accept_irreversible: yes`",
        "YAML 1.1 reads `true`",
        "does not start: 10.yaml:5: `yes` without quotes: some readers of YAML take it for true or false: write true or false, or put it in quotes",
        policy=ALWAYS.replace("{action: cut_traffic}", "{action: cut_traffic, accept_irreversible: yes}"),
    ),
    files(
        "`finding.severity: {at_least: high}`, in the wrong case",
        "compares letters: `CRITICAL` is below `high`",
        "does not start: 10.yaml:4: `at_least` of `finding.severity` is one of `LOW`, `MEDIUM`, `HIGH` or `CRITICAL`, not `high`; did you mean `HIGH`?",
        policy=_when("finding.severity: {at_least: high}"),
    ),
    files(
        "an action that does not exist",
        "skips the step, and reports success",
        "does not start: 10.yaml:5: there is no action `pin_previous_revison`; did you mean `pin_previous_revision`?",
        policy=ALWAYS.replace("action: pin_previous_revision", "action: pin_previous_revison"),
    ),
    settings(
        "`FIREBREAK_CEILNG=monitor`",
        "ignores it; whatever else is set holds",
        "does not start: FIREBREAK_CEILNG: there is no such variable; FIREBREAK_CEILING is meant, it seems",
        FIREBREAK_CEILNG="monitor",
    ),
    settings(
        "`FIREBREAK_CEILING=Monitor`",
        "is no known word, so there is no ceiling",
        "does not start: FIREBREAK_CEILING=Monitor: one of monitor, approve, enforce",
        FIREBREAK_CEILING="Monitor",
    ),
    settings(
        "`FIREBREAK_SELF=firebreak`, a short name",
        "equals no resource, so it contains itself",
        "does not start: FIREBREAK_SELF: firebreak: the resource is not on run.googleapis.com",
        FIREBREAK_SELF="firebreak",
    ),
    settings(
        "`FIREBREAK_EVIDENCE=s3://bucket`",
        "finds out when evidence is to be kept",
        "does not start: FIREBREAK_EVIDENCE=s3://bucket: file:///DIR or gs://BUCKET/PREFIX",
        FIREBREAK_EVIDENCE="s3://bucket",
    ),
    settings(
        "`CLOUD_RUN_EMULATOR_HOST` on another machine",
        "sends plain text, and believes what answers",
        "does not start: CLOUD_RUN_EMULATOR_HOST=run.example.com:443: only host:port on loopback, because the channel is plain text",
        CLOUD_RUN_EMULATOR_HOST="run.example.com:443",
    ),
)
