"""Lines of the log arrive whole: from many threads at once, in any locale, under functions-framework."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
THREADS, LINES, LETTERS = 16, 40, 11_000
MANY = f"""
import sys, threading
from firebreak.adapters.log import log_json
if "framework" in sys.argv:
    from functions_framework.execution_id import LoggingHandlerAddExecutionId
    sys.stdout = LoggingHandlerAddExecutionId(sys.stdout)
start = threading.Barrier({THREADS})
def work(number):
    start.wait()
    for line in range({LINES}):
        log_json("NOTICE", "ö", number=number, line=line, texts=["x" * 1000] * ({LETTERS} // 1000))
threads = [threading.Thread(target=work, args=(number,)) for number in range({THREADS})]
[one.start() for one in threads]
[one.join() for one in threads]
"""


@pytest.mark.parametrize(
    ("words", "environment"),
    [((), {}), (("framework",), {}), ((), {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"})],
)
def test_no_line_of_many_threads_is_merged_split_or_lost(words: tuple[str, ...], environment: dict[str, str]) -> None:
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", MANY, *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        check=True,
        timeout=60,
    )
    read = [json.loads(line) for line in done.stdout.decode().split("\n")[:-1]]

    assert len(read) == THREADS * LINES
    assert {(one["number"], one["line"]) for one in read} == {
        (number, line) for number in range(THREADS) for line in range(LINES)
    }
    assert {one["message"] for one in read} == {"ö"}
    assert all(len(one["texts"]) == LETTERS // 1000 for one in read)
