"""Policies' own examples: run, and how much of each policy they cover."""
