"""Where in Firebreak's own code an error was raised, for whoever has to fix it."""

from __future__ import annotations

from pathlib import PurePosixPath

_ROOT = f"{PurePosixPath(__file__).parents[2]}/"
_NOT_OURS = "/site-packages/"


def place(fault: BaseException) -> str:
    """`file:line`, innermost in our own code, whatever library it went on into; of a file that is no Python, there."""
    if isinstance(fault, SyntaxError) and fault.filename:
        return f"{_short(fault.filename)}:{fault.lineno}"
    passed, trace = [("?", 0)], fault.__traceback__
    while trace is not None:
        passed.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
        trace = trace.tb_next
    file, line = next((one for one in reversed(passed) if _ours(one[0])), passed[-1])
    return f"{_short(file)}:{line}"


def kind_and_place(fault: BaseException) -> str:
    """What was raised and where, without its text, which may quote anything."""
    return f"{type(fault).__name__} at {place(fault)}"


def _ours(file: str) -> bool:
    return file.startswith(_ROOT) and _NOT_OURS not in file


def _short(file: str) -> str:
    return file.removeprefix(_ROOT) if _ours(file) else PurePosixPath(file).name
