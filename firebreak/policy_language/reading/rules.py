"""What keeps a folder of policies from loading, each kind under its code."""

from __future__ import annotations

from firebreak.core.diagnostics import Rule

NOT_YAML = Rule(
    "FB101",
    "not-yaml",
    "stops",
    "The file is not YAML.",
    "notify: [oncall",
    "Close what is open at the place that is named; indent with spaces, not with tabs; put a value in quotes that has"
    " `: ` in it, as every category of a finding has, or that begins with `*`, `@`, `%` or a backtick.",
)
EXTRAS_OF_YAML = Rule(
    "FB102",
    "extras-of-yaml",
    "stops",
    "The file uses what YAML has beyond plain values: an anchor, an alias, a tag, a directive, a second document, or"
    " very deep nesting.",
    "notify: &who [oncall]",
    "Write the value out where it is needed, and put several policies in one list or in several files.",
)
UNFIT_FILE = Rule(
    "FB103",
    "unfit-file",
    "stops",
    "The file is larger than 1 MB, is not UTF-8, or holds a character that shows as another text than it is.",
    'description: "harmless \u202e"',
    "Save the file as UTF-8, and escape such a character in double quotes.",
)
AMBIGUOUS_VALUE = Rule(
    "FB104",
    "ambiguous-value",
    "stops",
    "A value without quotes that readers of YAML take for different things.",
    "notify: [no]",
    "Put text in quotes, and write numbers in plain decimal.",
)
UNKNOWN_KEY = Rule(
    "FB105",
    "unknown-key",
    "stops",
    "A key that does not exist here.",
    "aprove_within: 1h",
    "Use the key that is suggested, or leave it out: nothing that is misspelt is passed over.",
)
MISSING_KEY = Rule(
    "FB106",
    "missing-key",
    "stops",
    "A key that is needed and not there.",
    "then: [{accept_irreversible: true}]",
    "Add the key.",
)
TWICE_KEY = Rule(
    "FB107",
    "key-twice",
    "stops",
    "A key that stands twice in one mapping, where the second would take the place of the first.",
    "when: {workload.kind: service, workload.kind: job}",
    "Keep one of the two.",
)
WRONG_TYPE = Rule(
    "FB108",
    "wrong-type",
    "stops",
    "A value of another type than is wanted: text for a number, a list for a mapping.",
    'when: {virustotal.malicious: {at_least: "10"}}',
    "Write it as the message says; numbers, true and false stand without quotes, text that looks like them in quotes.",
)
WRONG_VALUE = Rule(
    "FB109",
    "wrong-value",
    "stops",
    "A value of the right type that this key cannot have.",
    "on_expiry: ignore",
    "Use one of the values that are named.",
)
UNKNOWN_FACT = Rule(
    "FB110",
    "unknown-fact",
    "stops",
    "A fact or source that nothing supplies.",
    'when: {finding.catgory: "Reverse Shell"}',
    "Use the fact that is suggested; `firebreak policy facts` lists them.",
)
UNKNOWN_OPERATOR = Rule(
    "FB111",
    "unknown-operator",
    "stops",
    "An operator that does not exist, or not for facts of this type.",
    "when: {virustotal.malicious: {greater_than: 10}}",
    "Use one of the operators that are named.",
)
UNKNOWN_ACTION = Rule(
    "FB112",
    "unknown-action",
    "stops",
    "An action that does not exist.",
    "then: [{action: cut_trafic}]",
    "Use the action that is suggested; `firebreak policy actions` lists them.",
)
UNKNOWN_SET = Rule(
    "FB113",
    "unknown-set",
    "stops",
    "A set that `firebreak.yaml` does not list.",
    "when: {workload.project: {in_set: pay}}",
    "List it under `sets` in `firebreak.yaml`.",
)
TAKEN_ID = Rule(
    "FB114",
    "id-taken",
    "stops",
    "Two policies with one id.",
    "# 1.yaml\nid: one\n# 2.yaml\nid: one",
    "Give one of them another id.",
)
SAID_TWICE = Rule(
    "FB115",
    "said-twice",
    "stops",
    "One text twice in a list, or one action twice in the same steps.",
    "notify: [oncall, oncall]",
    "Keep one of the two.",
)
NOTHING_LISTED = Rule(
    "FB116",
    "nothing-there",
    "stops",
    "A file, list or condition in which nothing stands.",
    "when: {}",
    "Write what it should hold, or leave it out where it is not needed.",
)
UNREADABLE_FILE = Rule(
    "FB117",
    "unreadable-file",
    "stops",
    "A policy file that cannot be read: a link that leads nowhere, no permission, a pipe.",
    "# 10-shop.yaml is a link to a file that is gone",
    "Mend the file, or take it away: without it, what it should have decided would fall to the policies below it.",
)
BROKEN_PLUGIN = Rule(
    "FB118",
    "broken-plug-in",
    "stops",
    "A policy names an action or a source whose own code does not load, or an action that cannot take its parameters.",
    "then: [{action: shut_door}]  # responders/shut_door.py cannot be imported",
    "Mend the file of the action or source that is named, at the line that is named.",
)
EXAMPLE_AT_ODDS = Rule(
    "FB401",
    "example-at-odds",
    "stops",
    "An example at odds with itself: it gives a fact of a source that it leaves unknown, or expects another policy.",
    "examples: [{given: {virustotal: unknown, virustotal.malicious: 1}, expect: nothing}]",
    "Keep one of the two; an example tests its own policy alone.",
)
CONFIG_NAME = Rule(
    "FB501",
    "name-of-firebreak-yaml",
    "stops",
    "A `firebreak.yaml` under another name, or a second one.",
    '# firebreak.yml\norganization: "1"',
    "Call it `firebreak.yaml`, and keep one.",
)
IMPOSSIBLE_GUARD = Rule(
    "FB502",
    "guard-of-nothing",
    "stops",
    "A protected name or label that Google Cloud gives to nothing, so that it would protect nothing.",
    '# firebreak.yaml\norganization: "1"\nprotected: [{project: Payments_Prod}]',
    "Write the name as Google Cloud has it, and a pattern as `{glob: …}`.",
)
