"""Contains compromised Cloud Run workloads: see README.md for what it does, docs/design.md for how."""

VERSION = "0.1.0"
