"""The command line: commands and screens."""
