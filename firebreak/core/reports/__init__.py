"""Figures over many incidents, for who answers for the whole."""
