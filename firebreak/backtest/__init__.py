"""What policies would have decided about the past: reading it, replaying it through time, and the report."""
