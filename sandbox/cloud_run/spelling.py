"""How answers of Cloud Run spell the project: as the question did, or always by its number."""

from __future__ import annotations

from typing import Any, TypeVar

from sandbox.world import World

T = TypeVar("T")


def respelled(world: World, request: Any, answer: T) -> T:  # noqa: ANN401 - any request of Cloud Run's
    """A copy of the answer in which every name spells the project so; other answers than Cloud Run's as they are."""
    named = str(getattr(request, "name", "") or getattr(request, "parent", ""))
    if not named.startswith("projects/") or not type(answer).__module__.startswith("google.cloud.run_v2"):
        return answer
    project = world.canonical(named).split("/")[1]
    wanted = world.projects.get(project, project) if world.answers_by_number else named.split("/")[1]
    if wanted == project:
        return answer
    copy: Any = type(answer)(answer)  # type: ignore[call-arg]  # proto-plus messages are copied so
    _respell(type(copy).pb(copy), f"projects/{project}/", f"projects/{wanted}/")
    return copy  # type: ignore[no-any-return]


def _respell(message: Any, before: str, after: str) -> None:  # noqa: ANN401 - protobuf messages
    for field, value in message.ListFields():
        if field.message_type is not None:
            if not field.message_type.GetOptions().map_entry:
                for one in value if field.is_repeated else [value]:
                    _respell(one, before, after)
        elif isinstance(value, str) and value.startswith(before):
            setattr(message, field.name, after + value.removeprefix(before))
