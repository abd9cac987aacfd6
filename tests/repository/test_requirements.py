"""The dependencies that are named are those that are imported."""

from __future__ import annotations

import re
import sys
import tomllib

from tests.repository.checkout import imports, python_files, text_of

PROJECT = tomllib.loads(text_of("pyproject.toml"))["project"]
ENTRY_POINT = {"functions-framework", "flask", "cloudevents"}
DIRECT = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)", re.MULTILINE)
PEOPLE_AND_CHECKS = (
    "firebreak/cli/",
    "firebreak/doctor/",
    "firebreak/adapters/inspection/",
    "firebreak/__main__.py",
    "sandbox/",
    "tests/",
    "tools/",
    "benchmarks/",
)
# What is imported, where its name is not the package's.
PACKAGE_OF = {
    "vt": "vt-py",
    "yaml": "PyYAML",
    "grpc": "grpcio",
    "pytest_mock": "pytest-mock",
    "functions_framework": "functions-framework",
    "google.api_core": "google-api-core",
    "google.auth": "google-auth",
    "google.cloud.audit": "google-cloud-audit-log",
    "google.cloud.firestore": "google-cloud-firestore",
    "google.cloud.firestore_admin_v1": "google-cloud-firestore",
    "google.cloud.firestore_v1": "google-cloud-firestore",
    "google.cloud.iam_admin_v1": "google-cloud-iam",
    "google.cloud.logging_v2": "google-cloud-logging",
    "google.cloud.pubsub_v1": "google-cloud-pubsub",
    "google.cloud.run_v2": "google-cloud-run",
    "google.cloud.securitycenter_v1": "google-cloud-securitycenter",
    "google.cloud.securitycenter_v2": "google-cloud-securitycenter",
    "google.cloud.storage": "google-cloud-storage",
    "google_crc32c": "google-crc32c",
    "google.iam": "grpc-google-iam-v1",
    "google.longrunning": "googleapis-common-protos",
    "google.protobuf": "protobuf",
    "google.pubsub_v1": "google-cloud-pubsub",
    "google.rpc": "googleapis-common-protos",
}


def packages(files: list[str]) -> set[str]:
    """The packages that these files import, by the name they are installed under."""
    known = {path.partition("/")[0].removesuffix(".py") for path in python_files()} | sys.stdlib_module_names
    imported = {name for path in files for name in imports(text_of(path))}
    return {package_of(name) for name in imported if name.partition(".")[0] not in known}


def package_of(module: str) -> str:
    prefixes = [prefix for prefix in PACKAGE_OF if f"{module}.".startswith(f"{prefix}.")]
    return PACKAGE_OF[max(prefixes, key=len)] if prefixes else module.partition(".")[0]


def extra(name: str) -> set[str]:
    """The packages of an extra of pyproject.toml, and of those that it includes."""
    listed = PROJECT["optional-dependencies"][name]
    own = {one for one in listed if not one.startswith("firebreak[")}
    return own.union(*(extra(one.removeprefix("firebreak[").removesuffix("]")) for one in set(listed) - own))


def named(requirements: str) -> set[str]:
    return set(DIRECT.findall(text_of(requirements)))


def test_what_is_deployed_names_what_it_imports_and_nothing_else() -> None:
    deployed = [path for path in python_files() if not path.startswith(PEOPLE_AND_CHECKS)]

    assert packages(deployed) == named("requirements.in")


def test_nothing_is_imported_that_only_comes_along_with_something_else() -> None:
    assert packages(python_files()) <= named("requirements.in") | named("requirements-dev.in")


def test_what_decides_in_its_own_process_brings_all_that_the_function_has_but_its_server() -> None:
    assert {*PROJECT["dependencies"], *extra("all")} == (named("requirements.in") - ENTRY_POINT) | {"rich"}


def test_linting_policies_brings_one_package() -> None:
    assert PROJECT["dependencies"] == ["PyYAML"]


def test_a_responder_s_computer_brings_the_clients_of_ledger_topic_and_vault_and_of_what_is_checked() -> None:
    clients = ("storage/firestore.py", "google/pubsub.py", "storage/vault_bucket.py", "google/security_center.py")
    looking = [path for path in python_files() if path.startswith("firebreak/adapters/inspection/")]
    brought = {"google-api-core", "google-auth", "requests"}  # by Google's clients

    files = [*(f"firebreak/adapters/{path}" for path in clients), *looking]

    assert packages(files) == (extra("cli") - {"rich"}) | brought
