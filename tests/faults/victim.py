"""A process that works on one message or command and is killed with SIGKILL at one point of it."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path

from firebreak.adapters.log import log_json
from firebreak.bootstrap import build
from firebreak.core.incidents.command import Command
from firebreak.policy_folder import load_policies
from firebreak.response import pipeline
from firebreak.settings import read_settings
from tests.faults.crash_points import Points, watched

if __name__ == "__main__":
    doing, subject, point = sys.argv[1:]
    settings = read_settings()
    app = watched(build(settings, load_policies(settings.policies, log_json)), Points(int(point)))
    if doing == "respond":
        pipeline.respond(app, Path(subject).read_bytes())
    elif doing == "approve":
        held = app.ledger.read(subject)
        digest = held.incident.question.digest if held and held.incident.question else ""
        pipeline.execute(app, Command(uuid.uuid4().hex, "approve", "ada", subject, digest=digest))
    else:
        pipeline.execute(app, Command(uuid.uuid4().hex, "release", "ada", subject))
    sys.exit(7)
