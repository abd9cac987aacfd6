"""Cloud Run as it is read: targets, revisions, traffic, grants, and what can be reached."""
