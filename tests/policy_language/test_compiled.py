"""Compiled policies: they decide as their YAML does, and whatever does not fit is left aside for the YAML."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import enrichment
import responders
from firebreak.core.actions.action import NoParams
from firebreak.core.diagnostics import Location
from firebreak.core.facts import Catalogue, Fact, Facts, FactType
from firebreak.core.findings.input_formats import read_findings
from firebreak.core.mode import Mode
from firebreak.core.policy.clause import NamedSet, Span
from firebreak.core.policy.compiled import NotCompiledError, compiled, load_compiled, sources_digest
from firebreak.core.policy.condition import clauses
from firebreak.core.policy.digest import policy_set
from firebreak.core.policy.policy import Config, Drill, Files, Limits, Policy, PolicySet, Step
from firebreak.core.policy.protected import Pattern, PlacedCeiling, Protected
from firebreak.core.policy.selection import choose, could_match, outstanding_matters
from firebreak.core.timestamps import NANOS
from firebreak.policy_folder import load_policies, read_folder, read_yaml_policies
from firebreak.policy_language.lint.steps import with_fallbacks
from firebreak.policy_language.reading.policies import parse_policies
from firebreak.ports.offline import offline_facts
from tests.policy_language.policy_strategies import HERE, NAMES, RANKS, SOURCES, clocks, conditions, fact_maps
from tests.policy_language.vocabulary import ACTIONS, ROOT, QuarantineParams
from tests.response.harness import ALWAYS

FILES = {"folder/policy.yaml": "text"}
SETS = ("policies", "policies/starter/monitor", "policies/starter/strict")
WORLD: Catalogue = {
    f"{source}.{word}": Fact(kind, "Drawn.", RANKS if kind is FactType.TEXT else (), ordered=kind is FactType.TEXT)
    for source in SOURCES
    for kind, word in NAMES.items()
}
AT = Location("folder/policy.yaml", 3, 5)


def without_examples(policies: PolicySet) -> PolicySet:
    return replace(policies, policies=tuple(replace(one, examples=()) for one in policies.policies))


def again(policies: PolicySet, files: Files) -> PolicySet:
    """As a function has them that was packaged with these policies."""
    return load_compiled(compiled(policies, files), files, enrichment.catalogue(), responders.discover())


def in_words(policies: PolicySet) -> list[object]:
    """How ages and sets are written, and where everything stands."""
    parts = [part for one in policies.policies for part in clauses(one.when)]
    steps = [step for one in policies.policies for step in with_fallbacks(one.then)]
    return [
        [str(one.operand) for one in parts if isinstance(one.operand, Span)],
        [one.operand.called for one in parts if isinstance(one.operand, NamedSet)],
        [*(one.at for one in policies.policies), *(one.at for one in parts), *(one.at for one in steps)],
    ]


def steps() -> st.SearchStrategy[Step]:
    params = st.builds(QuarantineParams, st.integers(0, 9), st.booleans(), st.text(max_size=3), st.just(("eu", "us")))
    plain = st.builds(Step, st.just("cut_traffic"), st.just(NoParams()), at=st.just(AT))
    return st.builds(
        Step, st.just("quarantine"), params, st.lists(plain, max_size=1).map(tuple), st.booleans(), at=st.just(AT)
    )


@st.composite
def drawn_policies(draw: st.DrawFn) -> tuple[Policy, ...]:
    several = draw(st.lists(st.tuples(st.sampled_from(Mode), conditions(), steps()), max_size=4))
    return tuple(
        Policy(
            f"p{number}",
            draw(st.text(max_size=3)),
            mode,
            when,
            (step,),
            AT,
            draw(st.integers(1, 9)),
            draw(st.none() | st.integers(1, 9)),
            on_expiry=draw(st.sampled_from(("escalate", "contain"))),
            notify=draw(st.sampled_from(((), ("oncall", "soc")))),
            shadow=draw(st.booleans()),
        )
        for number, (mode, when, step) in enumerate(several)
    )


def configs() -> st.SearchStrategy[Config]:
    patterns = st.builds(Pattern, st.sampled_from(("core-*", "pay")), st.booleans())
    entries = st.builds(
        Protected,
        st.none() | patterns,
        st.none() | patterns,
        st.none() | st.just("456"),
        st.lists(st.tuples(st.just("tier"), patterns), max_size=2).map(tuple),
    )
    return st.builds(
        Config,
        st.none() | st.just("123456789012"),
        st.frozensets(st.sampled_from(("1", "2"))),
        st.sampled_from(Mode),
        st.lists(entries, max_size=2).map(tuple),
        st.builds(Limits, st.integers(0, 9), st.integers(0, 9)),
        st.integers(1, 9),
        st.dictionaries(st.sampled_from(("some", "more")), st.frozensets(st.sampled_from("abc"))).map(MappingProxyType),
        drill=st.none() | st.builds(Drill, st.just("9999"), st.frozensets(st.sampled_from(("shop-test", "lab")))),
        ceilings=st.lists(st.builds(PlacedCeiling, entries, st.sampled_from(Mode)), max_size=2).map(tuple),
    )


def elsewhere(policies: tuple[Policy, ...]) -> tuple[Policy, ...]:
    """The drawn conditions with their clauses in the file that there is."""

    def moved(condition: Any) -> Any:
        if hasattr(condition, "parts"):
            return type(condition)(tuple(map(moved, condition.parts)))
        ranks = RANKS if condition.type is FactType.TEXT else ()
        return replace(condition, at=replace(HERE, file="folder/policy.yaml"), ranks=ranks)

    return tuple(replace(one, when=moved(one.when)) for one in policies)


@given(drawn_policies(), configs(), fact_maps(), clocks(), st.sets(st.sampled_from(SOURCES)).map(frozenset))
def test_whatever_policies_say_they_say_compiled(
    drawn: tuple[Policy, ...], config: Config, facts: dict[str, Any], now_ns: int | None, outstanding: frozenset[str]
) -> None:
    policies = policy_set(elsewhere(drawn), config)
    text = compiled(policies, FILES)
    loaded = load_compiled(text, FILES, WORLD, ACTIONS)

    assert loaded == policies
    assert in_words(loaded) == in_words(policies), "what does not count when two are compared is kept too"
    assert list(loaded.config.sets) == list(config.sets)
    assert compiled(loaded, FILES) == text
    assert choose(loaded.policies, facts, now_ns) == choose(policies.policies, facts, now_ns)
    waits = [outstanding_matters(one.policies, facts, outstanding, now_ns) for one in (loaded, policies)]
    assert waits[0] == waits[1]


def corpus(policies: PolicySet) -> Iterator[Facts]:
    """What is known of every finding at hand, what every example gives, and what both together say."""
    findings = [*(ROOT / "tests" / "findings").glob("*.json"), *(ROOT / "policies" / "findings").glob("*.json")]
    known: list[Mapping[str, Any]] = [{}]
    for path in sorted(findings):
        known += [offline_facts(one.finding, enrichment.discover()) for one in read_findings(path.read_bytes())]
    known += [example.given for policy in policies.policies for example in policy.examples]
    known += [{**one, **two} for one in known[1:12] for two in known[-12:]]
    assert len(known) > 20
    return iter(known)


@pytest.mark.parametrize("name", SETS)
def test_shipped_sets_decide_compiled_what_their_yaml_decides(name: str) -> None:
    """Choice, mode, trace, what is waited for and which policies a category leaves, on all that there is to try."""
    files = read_folder(ROOT / name)
    from_yaml = read_yaml_policies(files)
    loaded = again(from_yaml, files)
    now_ns, chosen = 1_800_000_000 * NANOS, set()

    assert loaded == without_examples(from_yaml)
    assert loaded.digest == from_yaml.digest
    for facts in corpus(from_yaml):
        ours = choose(loaded.to_try(facts), facts, now_ns)
        theirs = choose(from_yaml.to_try(facts), facts, now_ns)
        assert ours.policy == (theirs.policy and replace(theirs.policy, examples=()))
        assert (ours.mode, ours.trace, ours.reasons) == (theirs.mode, theirs.trace, theirs.reasons)
        assert could_match(loaded.about(facts), facts) == could_match(from_yaml.about(facts), facts)
        sources = frozenset(enrichment.discover())
        assert outstanding_matters(loaded.policies, facts, sources) == outstanding_matters(
            from_yaml.policies, facts, sources
        )
        chosen.add(ours.policy and ours.policy.id)
    assert len(chosen) > 2, "the corpus reaches more than one policy"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as it is packaged: two policies, a config with a set, and the same compiled."""
    (tmp_path / "10-x.yaml").write_text(ALWAYS)
    (tmp_path / "20-y.yaml").write_text(ALWAYS.replace("id: always", "id: other"))
    (tmp_path / "firebreak.yaml").write_text('organization: "1"\nsets: {some: ["a=b"]}\n')
    files = read_folder(tmp_path)
    (tmp_path / "compiled.json").write_text(compiled(read_yaml_policies(files), files))
    return tmp_path


class Told(list[str]):
    """What was logged."""

    def __call__(self, severity: str, message: str, **_: object) -> None:
        self.append(f"{severity} {message}")


def test_a_folder_with_compiled_policies_is_read_from_them_with_the_places_of_its_yaml(folder: Path) -> None:
    told = Told()
    loaded = load_policies(folder, told)

    assert told == []
    assert loaded == without_examples(read_yaml_policies(read_folder(folder)))
    assert [one.examples for one in loaded.policies] == [(), ()]
    assert str(loaded.policies[0].at).startswith(f"{folder}/10-x.yaml:")


def test_compiled_policies_go_with_their_folder_wherever_it_is(folder: Path, tmp_path: Path) -> None:
    moved = tmp_path.parent / f"{tmp_path.name} moved"
    folder.rename(moved)
    told = Told()

    assert load_policies(moved, told).policies[0].at.file == f"{moved}/10-x.yaml"
    assert told == []


def added(folder: Path) -> None:
    (folder / "05-z.yaml").write_text(ALWAYS.replace("id: always", "id: third"))


def edited(folder: Path) -> None:
    (folder / "10-x.yaml").write_text(ALWAYS.replace("mode: enforce", "mode: monitor"))


def removed(folder: Path) -> None:
    (folder / "20-y.yaml").unlink()


def renamed(folder: Path) -> None:
    """Another name may mean another place in the order."""
    (folder / "20-y.yaml").rename(folder / "05-y.yaml")


def config_lost(folder: Path) -> None:
    (folder / "firebreak.yaml").unlink()


def swapped(folder: Path) -> None:
    one, two = (folder / name for name in ("10-x.yaml", "20-y.yaml"))
    texts = one.read_text(), two.read_text()
    one.write_text(texts[1])
    two.write_text(texts[0])


@pytest.mark.parametrize("change", [added, edited, removed, renamed, config_lost, swapped])
def test_where_the_yaml_has_changed_since_the_yaml_is_read_and_the_log_says_so_once(
    folder: Path, change: Callable[[Path], None]
) -> None:
    change(folder)
    told = Told()
    loaded = load_policies(folder, told)

    assert loaded == read_yaml_policies(read_folder(folder))
    (said,) = told
    assert said.startswith(f"WARNING {folder}/compiled.json is left aside, and the YAML beside it is read: it was made")


@pytest.mark.parametrize("name", [".compiled.json", "._compiled.json", "compiled.json~", "notes.md", "._10-x.yaml"])
def test_what_file_systems_and_editors_leave_beside_them_changes_nothing(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"\x00\xff")
    told = Told()

    assert load_policies(folder, told).policies
    assert told == []


def body_of(folder: Path) -> Any:
    return json.loads((folder / "compiled.json").read_text())


def each_place(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict | list):
        for key, below in value.items() if isinstance(value, dict) else enumerate(value):
            yield from each_place(below, (*path, key))


def put(body: Any, path: tuple[Any, ...], value: object) -> None:
    for key in path[:-1]:
        body = body[key]
    body[path[-1]] = value


def damages() -> list[tuple[str, bytes]]:
    return [
        ("empty", b""),
        ("cut", b'{"version": "'),
        ("no JSON", b"\x00\xff\xfe"),
        ("nested", b"[" * 200_000),
        ("a list", b"[]"),
        ("a number", b"1e999"),
        ("nothing in it", b"{}"),
        ("code", b"__import__('os').system('true')"),
    ]


@pytest.mark.parametrize(("_", "data"), damages())
def test_a_file_that_is_no_compiled_policies_is_left_aside(folder: Path, _: str, data: bytes) -> None:
    (folder / "compiled.json").write_bytes(data)
    told = Told()

    assert load_policies(folder, told) == read_yaml_policies(read_folder(folder))
    assert len(told) == 1
    assert "it is damaged, or does not fit this version" in told[0]


@pytest.mark.parametrize("wrong", [None, True, -7, "x", [], ["a"], {}, {"members": [[]]}], ids=repr)
def test_no_damage_at_any_place_comes_to_another_decision(folder: Path, wrong: object) -> None:
    """Every value of it replaced in turn: either the very same policies come of it, or the YAML is read."""
    files = read_folder(folder)
    from_yaml, whole = without_examples(read_yaml_policies(files)), body_of(folder)
    refused = 0
    for path in each_place(whole):
        body = json.loads(json.dumps(whole))
        put(body, path, wrong)
        try:
            loaded = load_compiled(json.dumps(body), files, enrichment.catalogue(), responders.discover())
        except NotCompiledError:
            refused += 1
            continue
        places, names = path[-2:-1] == ("at",) or path[-1] == "at", path[:2] == ("config", "sets")
        assert places or names or loaded == from_yaml, path
        assert loaded.digest == from_yaml.digest
    assert refused > 40


@pytest.mark.parametrize("kind", ["folder", "pipe", "nowhere"])
def test_a_compiled_file_that_cannot_be_read_is_left_aside(folder: Path, kind: str) -> None:
    path = folder / "compiled.json"
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(path)
    told = Told()

    assert load_policies(folder, told).policies
    assert len(told) == 1
    assert "it cannot be read" in told[0]


def test_what_another_version_compiled_is_left_aside(folder: Path) -> None:
    files, body = read_folder(folder), body_of(folder)
    body["version"] = "0.0.1"
    with pytest.raises(NotCompiledError, match="another version of Firebreak made it"):
        load_compiled(json.dumps(body), files, enrichment.catalogue(), responders.discover())


def test_facts_and_actions_that_are_gone_or_have_changed_leave_it_aside() -> None:
    """The YAML then says what is wrong, or what it means now."""
    text = "id: x\nmode: enforce\nwhen: {alpha.text: {at_least: MEDIUM}}\nthen: [{action: quarantine, depth: 1}]\n"
    files = {"policy.yaml": text + "examples: [{expect: {mode: enforce}}]\n"}
    done = compiled(parse_policies(files, WORLD, ACTIONS), files)
    lost = {name: fact for name, fact in WORLD.items() if name != "alpha.text"}
    ranked_anew = {**WORLD, "alpha.text": replace(WORLD["alpha.text"], choices=tuple(reversed(RANKS)))}
    fewer = {name: action for name, action in ACTIONS.items() if name != "quarantine"}
    other = ACTIONS | {"quarantine": ACTIONS["cut_traffic"]}

    assert load_compiled(done, files, WORLD, ACTIONS).policies
    for catalogue, actions in ((lost, ACTIONS), (ranked_anew, ACTIONS), (WORLD, fewer), (WORLD, other)):
        with pytest.raises(NotCompiledError):
            load_compiled(done, files, catalogue, actions)


def test_the_digest_of_the_sources_is_that_of_base_names_and_whole_texts() -> None:
    one = sources_digest({"a/x.yaml": "1", "a/y.yaml": "2", "a/notes.md": "3"})

    assert one == sources_digest({"b/c/y.yaml": "2", "b/c/x.yaml": "1"})
    assert len({one, sources_digest({"x.yaml": "1y.yaml2"}), sources_digest({"x.yaml": "2", "y.yaml": "1"})}) == 3


def test_members_of_a_set_are_told_by_the_name_that_policies_use(tmp_path: Path) -> None:
    (tmp_path / "firebreak.yaml").write_text('organization: "1"\nsets: {core: [core-pay]}\n')
    (tmp_path / "1.yaml").write_text(ALWAYS.replace("when: {", "when: {workload.project: {in_set: core}, "))
    files = read_folder(tmp_path)
    loaded = again(read_yaml_policies(files), files)
    operands = [one.operand for one in loaded.policies[0].when.parts if hasattr(one, "operand")]  # type: ignore[union-attr]

    assert [str(one) for one in operands if isinstance(one, NamedSet)] == ["core"]
