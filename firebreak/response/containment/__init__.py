"""Carrying a plan out and taking it back: the last look, the write, what is in effect, the release."""
