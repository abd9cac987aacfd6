"""Google's own emulators of Pub/Sub and Firestore, from the SDK's platform folder, on a free port of loopback."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def pubsub_jar() -> Path | None:
    """The emulator's archive, or None where the SDK does not bring it."""
    return _archive("pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar")


def firestore_jar() -> Path | None:
    """The emulator's archive, or None where the SDK does not bring it."""
    return _archive("cloud-firestore-emulator/cloud-firestore-emulator.jar")


def _archive(pattern: str) -> Path | None:
    gcloud = shutil.which("gcloud")
    if gcloud is None or shutil.which("java") is None:
        return None
    sdk = Path(gcloud).resolve().parent.parent
    for root in (sdk, sdk / "lib" / "google-cloud-sdk", Path("/usr/lib/google-cloud-sdk")):
        if found := sorted((root / "platform").glob(pattern)):
            return found[-1]
    return None


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes], seconds: float = 40.0) -> None:
    """Until something listens there; raises if its process ends or the time is up."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    message = f"nothing came up on port {port}"
    raise RuntimeError(message)


@contextmanager
def pubsub_emulator() -> Iterator[str]:
    """Its `host:port` while it runs."""
    with _running("-jar", str(pubsub_jar())) as host:
        yield host


@contextmanager
def firestore_emulator() -> Iterator[str]:
    """Its `host:port` while it runs; its archive does not name the class to start."""
    main = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
    with _running("-Duser.language=en", "-cp", str(firestore_jar()), main, "start") as host:
        yield host


@contextmanager
def _running(*program: str) -> Iterator[str]:
    port = free_port()
    command = ["java", *program, "--host=127.0.0.1", f"--port={port}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - our own words
    try:
        wait_for(port, process)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)
