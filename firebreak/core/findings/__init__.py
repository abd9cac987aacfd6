"""Findings of Security Command Center, and what other sources say about them."""
