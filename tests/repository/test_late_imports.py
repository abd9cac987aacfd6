"""An import inside a function is for what is heavy and wanted late: a client, or the policy language."""

from __future__ import annotations

import ast

import pytest

from tests.repository.checkout import imports, imports_in, python_files, text_of

LATE = {
    "firebreak/adapters/clients.py": {
        "firebreak.adapters.cloud_run.access.JobAccess",
        "firebreak.adapters.cloud_run.access.ServiceAccess",
        "firebreak.adapters.cloud_run.jobs.Jobs",
        "firebreak.adapters.cloud_run.pools.WorkerPools",
        "firebreak.adapters.cloud_run.services.CloudRunServices",
        "firebreak.adapters.google.cloud_logging.CloudLogging",
        "firebreak.adapters.google.pubsub.Publisher",
        "firebreak.adapters.google.security_center.SecurityCenter",
        "firebreak.adapters.google.service_account_users.ServiceAccountUsers",
        "firebreak.adapters.google.service_accounts.ServiceAccounts",
    },
    "firebreak/adapters/storage/ledger_store.py": {"firebreak.adapters.storage.firestore.FirestoreDocuments"},
    "firebreak/adapters/storage/vault_store.py": {"firebreak.adapters.storage.vault_bucket.BucketVault"},
    "firebreak/adapters/virustotal.py": {"firebreak.adapters.virustotal_client"},
    "firebreak/cli/commands/decision.py": {"firebreak.cli.commands.in_process.carry_out"},
    "firebreak/cli/commands/sending.py": {"firebreak.adapters.google.pubsub.Publisher"},
    "firebreak/policy_folder.py": {
        "firebreak.policy_language.reading.policies.parse_policies",
        "firebreak.policy_language.reading.rules.UNREADABLE_FILE",
    },
    "firebreak/cli/screens/console.py": {"rich.console.Console", "rich.text.Text"},
}
ROOMS = ("firebreak/", "enrichment/", "responders/", "main.py")


def late(text: str) -> set[str]:
    """What is imported inside functions."""
    functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {name for function in functions for name in imports_in(function)}


def test_only_heavy_clients_are_imported_late() -> None:
    found = {path: late(text_of(path)) for path in python_files(*ROOMS)}

    assert {path: names for path, names in found.items() if names} == LATE


@pytest.mark.parametrize("text", ["def f():\n    import yaml", "class C:\n    async def f(self):\n        import yaml"])
def test_a_planted_late_import_is_noticed(text: str) -> None:
    assert late(text) == {"yaml"}


def test_a_command_s_module_is_imported_in_one_place() -> None:
    """Beside it actions and channels are found by their names, and modules of Google's packages by theirs."""
    users = [path for path in python_files("firebreak/") if "import_module(" in text_of(path)]

    assert users == ["firebreak/adapters/part_by_part.py", "firebreak/cli/main.py", "firebreak/core/discovery.py"]


def test_a_channel_is_imported_by_its_name_alone_when_it_is_needed() -> None:
    """A function that starts waits for none that is not set; Slack's two share their blocks."""
    users = {
        path: {name for name in imports(text_of(path)) if name.startswith("firebreak.core.channels.")}
        for path in python_files(*ROOMS)
    }
    named = {
        path: {name for name in names if not name.endswith((".channel", ".found", ".kinds"))}
        for path, names in users.items()
    }

    assert {path: names for path, names in named.items() if names} == {
        "firebreak/core/channels/slack_bot.py": {"firebreak.core.channels.slack"}
    }
