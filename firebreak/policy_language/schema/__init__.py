"""The JSON Schemas of policies and of firebreak.yaml."""
