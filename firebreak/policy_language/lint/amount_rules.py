"""What there is to say about numbers and durations that load and make no sense."""

from __future__ import annotations

from firebreak.core.diagnostics import Rule

OUT_OF_RANGE = Rule(
    "FB209",
    "number-out-of-range",
    "warning",
    "A comparison with a number that the fact never has, or a bound that every number of it keeps.",
    "when: {finding.hour: {at_least: 24}}",
    "Use a number within the range that is named, or leave the clause out.",
)
ODD_DURATION = Rule(
    "FB314",
    "odd-duration",
    "warning",
    "A duration of a policy that is too short for anybody to keep, or so long that it comes to nothing.",
    "review_after: 1s",
    "Mend the unit, or leave it out: `approve_within` is 30m then, and `review_after` 4h.",
)
LATE_RELEASE = Rule(
    "FB315",
    "late-release",
    "warning",
    "A `release_after` shorter than `review_after`: a release is looked into when a review is due, and not before.",
    "mode: approve\nrelease_after: 1h\nreview_after: 4h\n"
    "examples: [{expect: {mode: approve}}, {given: {workload.public: false}, expect: nothing}]",
    "Say a `review_after` that is as short.",
)
ODD_LIMIT = Rule(
    "FB506",
    "odd-limit",
    "warning",
    "A limit of 0, with which nothing is contained without a person, or one that holds nothing back.",
    '# firebreak.yaml\norganization: "1"\nlimits: {per_hour: 0}',
    "Say `ceiling: approve` if a person is to be asked about everything; else the number that you can bear in an hour.",
)
ODD_TIME_LIMIT = Rule(
    "FB507",
    "odd-time-limit",
    "warning",
    "A duration in `firebreak.yaml` that is so short or so long that it holds for everything, or for nothing.",
    '# firebreak.yaml\norganization: "1"\nstale_after: 1s',
    "Mend the unit, or leave it out: `stale_after` is 1h then.",
)
