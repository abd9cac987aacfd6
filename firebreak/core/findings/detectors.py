"""The detectors whose findings are about Cloud Run, by the display name that a finding's category holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

RUNTIME = "Cloud Run Threat Detection"
CONTROL_PLANE = "Event Threat Detection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """One detector. With `malicious_file` its findings are about a file known to be bad, so a hash is to be expected.

    `techniques` are ATT&CK ids for findings that name none: Google's pages state those in `documented`, the others are
    our reading. `source` is the service that publishes the finding.
    """

    api_name: str
    malicious_file: bool
    techniques: tuple[str, ...]
    documented: tuple[str, ...]
    source: str


def _behaviour(name: str, *techniques: str, documented: tuple[str, ...] = ()) -> Detector:
    return Detector(
        api_name=f"CLOUD_RUN_{name}",
        malicious_file=False,
        techniques=techniques,
        documented=documented,
        source=RUNTIME,
    )


def _file(name: str, *techniques: str, documented: tuple[str, ...] = ()) -> Detector:
    return Detector(
        api_name=f"CLOUD_RUN_{name}",
        malicious_file=True,
        techniques=techniques,
        documented=documented,
        source=RUNTIME,
    )


def _control_plane(name: str) -> Detector:
    """A detector that reads audit logs; which techniques its findings name is not published."""
    return Detector(api_name=name, malicious_file=False, techniques=(), documented=(), source=CONTROL_PLANE)


CATEGORIES: Mapping[str, Detector] = MappingProxyType(
    {
        "Command and Control: Steganography Tool Detected": _behaviour("STEGANOGRAPHY_TOOL_DETECTED", "T1001.002"),
        "Credential Access: Find Google Cloud Credentials": _behaviour("FIND_GCP_CREDENTIALS", "T1552"),
        "Credential Access: GPG Key Reconnaissance": _behaviour("GPG_KEY_RECONNAISSANCE", "T1552.004"),
        "Credential Access: Search Private Keys or Passwords": _behaviour("SEARCH_PRIVATE_KEYS_OR_PASSWORDS", "T1552"),
        "Defense Evasion: Base64 ELF File Command Line": _behaviour("BASE64_ELF_FILE_CMDLINE", "T1027", "T1132"),
        "Defense Evasion: Base64 Encoded Python Script Executed": _behaviour(
            "BASE64_ENCODED_PYTHON_SCRIPT_EXECUTED", "T1027", "T1132"
        ),
        "Defense Evasion: Base64 Encoded Shell Script Executed": _behaviour(
            "BASE64_ENCODED_SHELL_SCRIPT_EXECUTED", "T1027", "T1132"
        ),
        "Defense Evasion: Launch Code Compiler Tool In Container": _behaviour(
            "LAUNCH_CODE_COMPILER_TOOL_IN_CONTAINER", "T1027.004"
        ),
        "Execution: Added Malicious Binary Executed": _file(
            "ADDED_MALICIOUS_BINARY_EXECUTED", "T1105", "T1106", documented=("T1105", "T1106")
        ),
        "Execution: Added Malicious Library Loaded": _file(
            "ADDED_MALICIOUS_LIBRARY_LOADED", "T1105", "T1129", documented=("T1105", "T1129")
        ),
        "Execution: Built in Malicious Binary Executed": _file("BUILT_IN_MALICIOUS_BINARY_EXECUTED", "T1106"),
        "Execution: Container Escape": _behaviour("CONTAINER_ESCAPE", "T1611"),
        "Execution: Fileless Execution in /memfd:": _behaviour("FILELESS_EXECUTION_DETECTION_MEMFD", "T1620"),
        "Execution: Kubernetes Attack Tool Execution": _behaviour("KUBERNETES_ATTACK_TOOL_EXECUTION", "T1588"),
        "Execution: Local Reconnaissance Tool Execution": _behaviour("LOCAL_RECONNAISSANCE_TOOL_EXECUTION", "T1595"),
        "Execution: Malicious Python executed": _behaviour(
            "MALICIOUS_PYTHON_EXECUTED", "T1105", "T1059.006", documented=("T1105",)
        ),
        "Execution: Modified Malicious Binary Executed": _file(
            "MODIFIED_MALICIOUS_BINARY_EXECUTED", "T1105", "T1106", documented=("T1105", "T1106")
        ),
        "Execution: Modified Malicious Library Loaded": _file("MODIFIED_MALICIOUS_LIBRARY_LOADED", "T1105", "T1129"),
        "Execution: Netcat Remote Code Execution in Container": _behaviour(
            "NETCAT_REMOTE_CODE_EXECUTION_IN_CONTAINER", "T1059"
        ),
        "Execution: Possible Arbitrary Command Execution through CUPS (CVE-2024-47076)": _behaviour(
            "POSSIBLE_ARBITRARY_COMMAND_EXECUTION_THROUGH_CUPS", "T1203"
        ),
        "Execution: Possible Remote Command Execution Detected": _behaviour(
            "POSSIBLE_REMOTE_COMMAND_EXECUTION_DETECTED", "T1059"
        ),
        "Execution: Program Run with Disallowed HTTP Proxy Env": _behaviour(
            "PROGRAM_RUN_WITH_DISALLOWED_HTTP_PROXY_ENV", "T1090"
        ),
        "Execution: Socat Reverse Shell Detected": _behaviour("SOCAT_REVERSE_SHELL_DETECTED", "T1059"),
        "Execution: Suspicious OpenSSL Shared Object Loaded": _behaviour(
            "SUSPICIOUS_OPENSSL_SHARED_OBJECT_LOADED", "T1129"
        ),
        "Exfiltration: Launch Remote File Copy Tools in Container": _behaviour(
            "LAUNCH_REMOTE_FILE_COPY_TOOLS_IN_CONTAINER", "T1105", "T1020"
        ),
        "Impact: Detect Malicious Cmdlines": _behaviour("DETECT_MALICIOUS_CMDLINES", "T1485"),
        "Impact: Remove Bulk Data From Disk": _behaviour("REMOVE_BULK_DATA_FROM_DISK", "T1485"),
        "Impact: Suspicious cryptocurrency mining activity using the Stratum Protocol": _behaviour(
            "SUSPICIOUS_CRYPTO_MINING_ACTIVITY_USING_STRATUM_PROTOCOL", "T1496"
        ),
        "Malicious Script Executed": _behaviour("MALICIOUS_SCRIPT_EXECUTED", "T1059", "T1105"),
        "Malicious URL Observed": _behaviour("MALICIOUS_URL_OBSERVED", "T1105", documented=("T1105",)),
        "Privilege Escalation: Abuse of Sudo For Privilege Escalation (CVE-2019-14287)": _behaviour(
            "ABUSE_SUDO_FOR_PRIVILEGE_ESCALATION", "T1548.003"
        ),
        "Privilege Escalation: Polkit Local Privilege Escalation Vulnerability (CVE-2021-4034)": _behaviour(
            "POLKIT_LOCAL_PRIVILEGE_ESCALATION_VULNERABILITY", "T1068"
        ),
        "Privilege Escalation: Sudo Potential Privilege Escalation (CVE-2021-3156)": _behaviour(
            "SUDO_POTENTIAL_PRIVILEGE_ESCALATION", "T1068"
        ),
        "Reverse Shell": _behaviour("REVERSE_SHELL", "T1059"),
        "Unexpected Child Shell": _behaviour("UNEXPECTED_CHILD_SHELL", "T1059.004"),
        "Impact: Cryptomining Commands": _control_plane("CLOUD_RUN_JOBS_CRYPTOMINING_COMMANDS"),
        "Execution: Cryptomining Docker Image": _control_plane("CLOUD_RUN_CRYPTOMINING_DOCKER_IMAGES"),
        "Privilege Escalation: Default Compute Engine Service Account SetIAMPolicy": _control_plane(
            "CLOUD_RUN_SERVICES_SET_IAM_POLICY"
        ),
    }
)
"""Display name to detector. Other products use some of these names too: ask the resource, not the name, whose it is."""


def _folded(name: str) -> str:
    """What is left of a name where its spelling does not count: Google's own pages differ in capitals and signs."""
    return "".join(sign for sign in name.casefold() if sign.isalnum())


_LISTED = {_folded(other): name for name, one in CATEGORIES.items() for other in (name, one.api_name)}


def listed_name(category: str, module: str = "") -> str:
    """The name under which a finding's detector is listed here: by its category, however spelt, or by its module.

    The category as it is, where neither is known: Google adds detectors, and renames them.
    """
    return _LISTED.get(_folded(category)) or _LISTED.get(_folded(module)) or category


def is_listed(category: str, module: str = "") -> bool:
    """Whether this version knows the detector."""
    return listed_name(category, module) in CATEGORIES
