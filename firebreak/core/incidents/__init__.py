"""The incident and its record, its size limit, and the messages about it."""
