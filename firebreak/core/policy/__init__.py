"""Policies as values: conditions, the choice among them, protected workloads, triage."""
