"""The functional core: values and decisions, no client, clock, environment or logger."""
