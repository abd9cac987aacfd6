"""Evidence into the vault, and its audit."""
