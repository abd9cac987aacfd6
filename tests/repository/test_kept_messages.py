"""What the runbook says to publish a kept message again is run by gcloud itself, against a small Pub/Sub."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.repository.checkout import text_of

pytestmark = [
    pytest.mark.terraform,
    pytest.mark.skipif(shutil.which("gcloud") is None, reason="there is no gcloud to ask"),
]
KEPT = '{\n  "finding": {"name": "a?>~/\u00e9", "args": ["sh", "-c", "x > y 2>&1\\n\\t\\"q\\" $HOME"]}\n}'
"""With what base64 for addresses writes otherwise, and what a shell or a format could take for its own."""


class PubSub(BaseHTTPRequestHandler):
    """One kept message, and what is asked of it."""

    asked: list[tuple[str, Any]]

    def do_POST(self) -> None:
        """Answer one call."""
        verb = self.path.partition("?")[0].rpartition(":")[2]
        self.asked.append((verb, json.loads(self.rfile.read(int(self.headers["content-length"])))))
        message = {"data": base64.b64encode(KEPT.encode()).decode(), "messageId": "1"}
        answers = {
            "pull": {"receivedMessages": [{"ackId": "kept", "message": message}]},
            "publish": {"messageIds": ["2"]},
        }
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answers.get(verb, {})).encode())

    def log_message(self, *_: object) -> None:
        """Silent."""


@contextmanager
def pubsub() -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    asked: list[tuple[str, Any]] = []
    handler = type("Handler", (PubSub,), {"asked": asked})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", asked
        server.shutdown()


def test_a_kept_message_is_published_again_as_it_was(tmp_path: Path) -> None:
    (block,) = [
        one
        for one in re.findall(r"^```\n(.*?)^```$", text_of("docs/operations.md"), re.MULTILINE | re.DOTALL)
        if "--auto-ack" in one
    ]
    with pubsub() as (address, asked):
        environment = {
            **os.environ,
            "PROJECT": "acme-firebreak",
            "CLOUDSDK_CONFIG": str(tmp_path),
            "CLOUDSDK_AUTH_ACCESS_TOKEN": "none",
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": address,
        }
        subprocess.run(  # noqa: S603 - the page's own words
            ["/usr/bin/env", "bash", "-euo", "pipefail", "-c", block], cwd=tmp_path, env=environment, check=True
        )

    assert [verb for verb, _ in asked] == ["pull", "acknowledge", "publish"]
    assert base64.urlsafe_b64decode(asked[-1][1]["messages"][0]["data"]).decode() == KEPT
