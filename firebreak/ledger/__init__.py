"""Incidents and active containments over a document store."""
