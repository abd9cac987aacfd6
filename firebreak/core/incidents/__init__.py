"""The incident and its record, its size limit, and what can be said of it."""
