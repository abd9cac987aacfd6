"""The local Cloud Storage, asked by Google's own client: strict about preconditions, and under a retention lock."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client

from sandbox.server import Sandbox
from sandbox.world import World


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(World.load({"buckets": ["one", "two"]})) as served:
        yield served


@pytest.fixture
def bucket(sandbox: Sandbox) -> Any:
    sandbox.world.buckets["one"].clear()
    sandbox.world.denied.clear()
    endpoint = {"api_endpoint": sandbox.environment()["STORAGE_EMULATOR_HOST"]}
    return Client(project="p", credentials=AnonymousCredentials(), client_options=endpoint).bucket("one")


def test_an_object_comes_back_as_it_was_sent(bucket: Any) -> None:
    """Whatever bytes it is made of, and whatever its name."""
    data = bytes(range(256)) * 3
    bucket.blob("a/b c/ü%2F.json").upload_from_string(data, if_generation_match=0)

    assert bucket.blob("a/b c/ü%2F.json").download_as_bytes() == data


def test_a_write_that_expects_nothing_to_be_there_fails_where_something_is(bucket: Any) -> None:
    """412, and the object is unchanged."""
    bucket.blob("a").upload_from_string(b"first", if_generation_match=0)
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.blob("a").upload_from_string(b"second", if_generation_match=0)

    assert bucket.blob("a").download_as_bytes() == b"first"


def test_what_is_there_is_neither_replaced_nor_deleted(bucket: Any) -> None:
    """The bucket is under a retention lock; a write without a precondition would have overwritten it elsewhere."""
    bucket.blob("a").upload_from_string(b"first")
    with pytest.raises(exceptions.Forbidden):
        bucket.blob("a").upload_from_string(b"second")
    with pytest.raises(exceptions.Forbidden):
        bucket.blob("a").delete()
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.blob("a").upload_from_string(b"second", if_generation_match=7)

    assert bucket.blob("a").download_as_bytes() == b"first"


def test_listing_pages_through_one_prefix_of_one_bucket(bucket: Any, sandbox: Sandbox) -> None:
    """In the order of names."""
    sandbox.world.buckets["one"] |= {f"a/{number}": b"" for number in range(5)} | {"b": b""}

    assert [one.name for one in bucket.client.list_blobs(bucket, prefix="a/", page_size=2)] == [
        f"a/{number}" for number in range(5)
    ]


def test_what_is_not_there_and_who_may_not_are_told_apart(bucket: Any, sandbox: Sandbox) -> None:
    """404 and 403, as the real one has them."""
    with pytest.raises(exceptions.NotFound):
        bucket.blob("a").download_as_bytes()
    with pytest.raises(exceptions.NotFound):
        bucket.client.bucket("three").blob("a").upload_from_string(b"")
    sandbox.world.denied.add("storage/insert")
    with pytest.raises(exceptions.Forbidden):
        bucket.blob("a").upload_from_string(b"", if_generation_match=0)


@pytest.mark.parametrize(
    ("query", "body", "kind"),
    [
        ("uploadType=media&name=a", b"x", "text/plain"),
        ("uploadType=multipart", b"x", "text/plain"),
        ("uploadType=multipart", b"--b\r\n\r\n{}\r\n--b\r\n\r\nx\r\n--b--", "multipart/related; boundary=b"),
        ("uploadType=multipart", b"--b\r\n\r\n{}\r\n--b--", "multipart/related; boundary=b"),
        (
            "uploadType=multipart",
            b'--b\r\n\r\n{"name": "a", "crc32c": "AAAAAA=="}\r\n--b\r\n\r\nx\r\n--b--',
            "multipart/related; boundary=b",
        ),
    ],
    ids=["not multipart", "no boundary", "no name", "one part", "wrong checksum"],
)
def test_a_malformed_upload_is_refused(sandbox: Sandbox, query: str, body: bytes, kind: str) -> None:
    """400, and nothing is made."""
    sandbox.world.denied.clear()
    host = sandbox.environment()["STORAGE_EMULATOR_HOST"]
    request = urllib.request.Request(f"{host}/upload/storage/v1/b/two/o?{query}", body, {"content-type": kind})  # noqa: S310 - our own server

    with pytest.raises(urllib.error.HTTPError) as told:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request)
    assert told.value.code == 400
    assert sandbox.world.buckets["two"] == {}
