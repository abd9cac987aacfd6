"""VirusTotal's client is loaded with the certificates that it verifies by, read once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = """
import json, ssl
from firebreak.adapters.virustotal import LIBRARY
connector = LIBRARY.aiohttp.connector
verifies, not_used = connector._SSL_CONTEXT_VERIFIED, connector._SSL_CONTEXT_UNVERIFIED
later = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
later.check_hostname, later.verify_mode = False, ssl.CERT_NONE
later.set_default_verify_paths()
print(json.dumps({
    "verifies": [verifies.verify_mode == ssl.CERT_REQUIRED, verifies.check_hostname],
    "known": [len(one.get_ca_certs()) for one in (verifies, ssl.create_default_context(), not_used, later)],
}))
"""


def test_what_verifies_knows_every_certificate_of_the_machine_and_what_does_not_none() -> None:
    """Every context that is made later is as it would be without us."""
    done = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603 - Python itself
    told = json.loads(done.stdout)
    machine = told["known"][1]

    assert told == {"verifies": [True, True], "known": [machine, machine, 0, machine]}
    assert machine > 0
