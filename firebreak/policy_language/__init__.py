"""From YAML to policies and back to people. Not on the function's cold path."""
