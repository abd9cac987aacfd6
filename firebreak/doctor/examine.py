"""Every check at once: each thing is looked at by itself, for so long at most, and what fails fails alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from firebreak.core.code_location import kind_and_place
from firebreak.core.errors import Denied, Missing, NotLetIn, Perimeter, Refused, Transient
from firebreak.doctor.result import APPLY, Check, Diagnosis, Examined, Fault, Item, Result, Unchecked
from firebreak.ports.deadline import Deadline

ITEM_SECONDS = 20.0
_AT_ONCE = 16
_NO_OUTPUT = "only the project is known, and Terraform's output says how it should be: firebreak configure FILE"


def items_of(check: Check, examined: Examined) -> tuple[Item, ...]:
    """What a check looks at; nothing where it would not know how that should be."""
    return tuple(check.items(examined)) if examined.deployment.told or not check.needs_output else ()


def examine(checks: Mapping[str, Check], examined: Examined, done: Callable[[], object]) -> tuple[Diagnosis, ...]:
    """What each check found, in the order of the checks' names; `done` is called as each thing has been looked at."""
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="doctor")
    try:
        looking = {
            name: [pool.submit(partial(_looked, one, item, done)) for item in items_of(one, examined)]
            for name, one in checks.items()
        }
        return tuple(
            Diagnosis(
                name,
                one.about,
                tuple(result for part in looking[name] for result in part.result()) or (Unchecked(_NO_OUTPUT),),
            )
            for name, one in checks.items()
        )
    finally:
        pool.shutdown(cancel_futures=True)  # whoever interrupts does not wait for what has not begun


def _looked(check: Check, item: Item, done: Callable[[], object]) -> tuple[Result, ...]:
    """What one look found; of one that does not come to its end, what it found before counts too."""
    found: list[Result] = []
    try:
        for result in item.look(Deadline.after(ITEM_SECONDS)):
            found.append(result)  # noqa: PERF402 - what was found before a failure counts
    except Missing as fault:
        found.append(Fault(f"{item.what} does not exist ({fault})", APPLY))
    except (Denied, NotLetIn) as fault:
        role = "" if isinstance(fault, Perimeter) else check.role
        found.append(Unchecked(f"{item.what}: {fault}", role))
    except (Refused, Transient, OSError) as fault:
        found.append(Unchecked(f"{item.what}: {fault}"))
    except Exception as fault:  # noqa: BLE001 - a fault of a check's own says nothing of what it looked at
        found.append(Unchecked(f"{item.what}: a fault in Firebreak itself ({kind_and_place(fault)})"))
    finally:
        done()
    return tuple(found)
