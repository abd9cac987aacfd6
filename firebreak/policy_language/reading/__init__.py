"""From YAML text to policies and configuration; every fault with its line and column."""
