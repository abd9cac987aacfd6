"""What a policy can match: whether it ever does, and whether its steps undo each other."""
