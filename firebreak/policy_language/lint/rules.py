"""What there is to say about policies that load, each kind under its code; and every rule in one list."""

from __future__ import annotations

from firebreak.core.diagnostics import Rule
from firebreak.policy_language.lint import amount_rules
from firebreak.policy_language.reading import rules as reading_rules

NEVER_MATCHES = Rule(
    "FB201",
    "never-matches",
    "warning",
    "A policy that no facts satisfy.",
    "when: {virustotal.malicious: {at_least: 10, at_most: 9}}",
    "Mend one of the clauses that are named; nothing is done that should not be, and nothing at all.",
)
DEAD_ALTERNATIVE = Rule(
    "FB202",
    "dead-alternative",
    "warning",
    "A part of `any_of` that no facts satisfy beside the rest of the policy.",
    "when: {workload.kind: service, any_of: [{workload.kind: job}, {workload.public: true}]}",
    "Mend that part, or leave it out.",
)
SHADOWED_POLICY = Rule(
    "FB203",
    "shadowed-policy",
    "warning",
    "A policy that never decides: whenever it matches, others above it match first.",
    "# 10-wide.yaml\nid: wide\nwhen: {workload.public: true}\n"
    "# 20-narrow.yaml\nid: narrow\nwhen: {workload.public: true, virustotal.malicious: {at_least: 10}}",
    "Put it above the policies that are named, make those narrower, or leave it out.",
)
MISSPELT_CATEGORY = Rule(
    "FB204",
    "misspelt-category",
    "warning",
    "A category that no detector of Cloud Run has, and that is nearly one that some has.",
    'when: {finding.category: "Reverse Shel"}',
    "Use the category that is suggested. Google adds detectors, therefore it loads.",
)
PLAIN_GLOB = Rule(
    "FB205",
    "plain-glob",
    "warning",
    "A glob without `*` and `?`, which fits one text alone.",
    "when: {workload.project: {glob: core}}\n"
    "examples: [{given: {workload.project: core}, expect: {mode: enforce}},"
    " {given: {workload.project: pay}, expect: nothing}]",
    "Write the wildcard that was meant, or compare with the text itself.",
)
MISLEADING_ORDER = Rule(
    "FB206",
    "misleading-order",
    "warning",
    "Numbers in the names of files suggest another order than the one in which they are tried, which is that of text.",
    "# 9-first.yaml\nid: first\nwhen: {workload.kind: job}\nthen: [{action: block_runs}]\n"
    "# 10-second.yaml\nid: second\nwhen: {workload.kind: service}",
    "Write all the numbers with as many digits: `09-first.yaml`.",
)
LITERAL_WILDCARD = Rule(
    "FB207",
    "literal-wildcard",
    "warning",
    "A text with `*`, or with `$` before a name, that is compared as it stands, and so fits that text alone.",
    "when: {workload.project: core-*}",
    "Write the pattern as `{glob: core-*}`, and a set as `{in_set: NAME}`.",
)
REGULAR_EXPRESSION = Rule(
    "FB208",
    "regular-expression",
    "warning",
    "A glob that is written like a regular expression, and fits other texts than were meant.",
    "when: {workload.project: {glob: ^core-.*$}}\n"
    "examples: [{given: {workload.project: ^core-.a$}, expect: {mode: enforce}},"
    " {given: {workload.project: pay}, expect: nothing}]",
    "Write a glob, in which `*` is any run of characters and `?` any one; alternatives as `any_of`.",
)
UNDOING_STEPS = Rule(
    "FB301",
    "steps-undo-each-other",
    "fault",
    "A step undoes an earlier one on every target that the policy can be about, so that nothing would ever be written.",
    "then: [{action: shut_door}, {action: open_door}]",
    "Leave one of them out, or have it follow the other under `otherwise`. (No two of the shipped actions do.)",
)
UNDOING_SOMEWHERE = Rule(
    "FB302",
    "steps-undo-somewhere",
    "warning",
    "A step undoes an earlier one on some targets, and none of the steps is written there.",
    "then: [{action: cut_traffic}, {action: open_tagged}]",
    "Keep one of the two. (No two of the shipped actions do this.)",
)
IDLE_STEP = Rule(
    "FB303",
    "idle-step",
    "warning",
    "A step that can act on nothing that the policy is about.",
    "when: {workload.kind: job}\nthen: [{action: block_runs}, {action: cut_traffic}]",
    "Use an action for these workloads, or leave the step out; when it comes to that, it is refused.",
)
UNSERVED_KIND = Rule(
    "FB304",
    "kind-without-step",
    "warning",
    "A kind of workload that the policy names, and on which none of its steps can act.",
    "when: {workload.kind: {in: [service, job]}}",
    "Add a step for it, or leave the kind out.",
)
IDLE_FALLBACK = Rule(
    "FB305",
    "repeated-fallback",
    "warning",
    "An `otherwise` that repeats what was just tried and was refused or has failed.",
    "then: [{action: pin_previous_revision, otherwise: [{action: pin_previous_revision}]}]",
    "Name another action, or leave it out.",
)
NEEDLESS_FALLBACK = Rule(
    "FB306",
    "needless-fallback",
    "warning",
    "An `otherwise` that is a step of the policy in any case.",
    "then: [{action: pin_previous_revision, otherwise: [{action: cut_traffic}]}, {action: cut_traffic}]",
    "Leave one of the two out.",
)
WAITS_FOR_OTHERS = Rule(
    "FB307",
    "waits-for-a-person",
    "warning",
    "A policy that acts alone with a step that reaches other workloads too, so that a person is asked each time.",
    "then: [{action: disable_service_account}]",
    "Say `mode: approve`, or move the step to a policy of its own.",
)
NOBODY_TOLD = Rule(
    "FB308",
    "nobody-told",
    "warning",
    "A policy that asks or acts, and names nobody to be told.",
    "notify: []",
    "Add a label, as `notify: [security-oncall]`.",
)
UNATTENDED = Rule(
    "FB309",
    "unattended-release",
    "warning",
    "A policy that acts alone and has `release_after`: a containment comes and goes without any person.",
    "release_after: 4h",
    "Leave `release_after` out, and a review is announced instead.",
)
IDLE_EXPIRY = Rule(
    "FB310",
    "idle-on-expiry",
    "warning",
    "`on_expiry: contain` in a mode that asks nothing, where it has no effect.",
    "on_expiry: contain",
    "Leave it out, or say `mode: approve`.",
)
IDLE_ACCEPTANCE = Rule(
    "FB311",
    "idle-accept-irreversible",
    "warning",
    "`accept_irreversible` of an action that can be undone, where it has no effect.",
    "then: [{action: cut_traffic, accept_irreversible: true}]",
    "Leave it out.",
)
ENFORCE_ON_PROTECTED = Rule(
    "FB313",
    "enforce-on-protected",
    "warning",
    "A policy in mode enforce that is only about what `protected` in `firebreak.yaml` names: a person is asked.",
    '# firebreak.yaml\norganization: "1"\nprotected: [{project: pay}]\n# a.yaml\n'
    "when: {workload.project: pay}\n"
    "examples: [{expect: {mode: enforce}}, {given: {workload.project: shop}, expect: nothing}]",
    "Say `mode: approve`, or take the entry out of `protected`.",
)
FAILING_ACTION = Rule(
    "FB312",
    "failing-action",
    "fault",
    "An action whose own code fails on some target. The policy loads; where the action fails, a person is asked.",
    "then: [{action: shut_door}]  # responders/shut_door.py raises where a service has no ingress",
    "Mend the action's file at the line that is named.",
)
FAILING_EXAMPLE = Rule(
    "FB402",
    "failing-example",
    "fault",
    "An example that comes out otherwise than it expects.",
    "examples: [{expect: {mode: approve}}, {given: {workload.public: false}, expect: nothing}]",
    "Mend the policy or the example: `firebreak policy test` shows each clause's part in it.",
)
UNRUN_EXAMPLE = Rule(
    "FB403",
    "unrunnable-example",
    "fault",
    "An example that cannot be run, because it must give more, or its finding cannot be read.",
    "when: {workload.project: {glob: core-*}}",
    "Give what the message names.",
)
MISSING_EXAMPLE = Rule(
    "FB404",
    "missing-example",
    "fault",
    "A policy without an example that expects a mode, or without one that expects nothing.",
    "examples: [{expect: {mode: enforce}}]",
    "Add one that matches and one that does not.",
)
UNTRIED_CLAUSE = Rule(
    "FB405",
    "untried-clause",
    "warning",
    "A clause that no example makes true, or none makes false: who deletes it sees no test fail.",
    "when: {workload.public: true, workload.kind: service}",
    "Add an example that varies this fact alone.",
    "test",
)
UNUSED_SET = Rule(
    "FB503",
    "unused-set",
    "warning",
    "A set in `firebreak.yaml` that no policy uses.",
    '# firebreak.yaml\norganization: "1"\nsets: {unused: [a]}',
    "Leave it out, or name it in a policy with `in_set`.",
)
UNROUTED_LABEL = Rule(
    "FB504",
    "unrouted-label",
    "warning",
    "A policy of whose labels none leads to a channel of `firebreak.yaml`, which has channels and no default route.",
    '# 1.yaml\nnotify: [shop-onkall]\n# firebreak.yaml\norganization: "1"\nnotify:\n'
    "  channels: {shop: {kind: slack, secret: FIREBREAK_NOTIFY_SHOP}}\n  routes: {shop-oncall: [shop]}",
    "Spell a label as a route is spelt, add the route, or add `default`.",
)
IDLE_CEILING = Rule(
    "FB505",
    "idle-ceiling",
    "warning",
    "An entry of `ceilings` that never lowers anything: it is not below `ceiling`, or another one there is as low.",
    '# firebreak.yaml\norganization: "1"\nceiling: approve\nceilings: [{project: shop-dev, ceiling: enforce}]',
    "Leave it out, or raise `ceiling`: the lowest that applies counts.",
)
UNREADABLE_SILENCE = Rule(
    "FB601",
    "silence-not-understood",
    "warning",
    "A comment that begins with `firebreak:` and silences nothing, because it is not written as one that does.",
    "notify: [] # firebreak: ignore FB308",
    "Write `# firebreak: allow CODE because REASON`.",
)
SILENCE_WITHOUT_REASON = Rule(
    "FB602",
    "silence-without-reason",
    "warning",
    "A silence that gives no reason, and so silences nothing.",
    "notify: [] # firebreak: allow FB308",
    "Say why: `because REASON`.",
)
SILENCE_OF_NO_RULE = Rule(
    "FB603",
    "silence-of-unknown-code",
    "warning",
    "A silence of a code that no rule has.",
    "notify: [] # firebreak: allow FB999 because we know",
    "Use the code that stands at the end of the warning.",
)
SILENCE_NOT_ALLOWED = Rule(
    "FB604",
    "silence-not-allowed",
    "warning",
    "A silence of what cannot be silenced: a fault, a failing example, or something wrong with a silence.",
    "examples: # firebreak: allow FB404 because it is new\n  - {expect: {mode: enforce}}",
    "Mend the fault: only warnings can be silenced.",
)
IDLE_SILENCE = Rule(
    "FB605",
    "idle-silence",
    "warning",
    "A silence where there is nothing, or nothing any more, to silence.",
    "notify: [oncall] # firebreak: allow FB308 because nobody needs to know",
    "Leave it out.",
)

RULES: tuple[Rule, ...] = tuple(
    sorted(
        (
            one
            for names in (vars(reading_rules), vars(amount_rules), globals())
            for one in names.values()
            if isinstance(one, Rule)
        ),
        key=lambda rule: rule.code,
    )
)
"""Every rule, by code."""
