"""A year of a shop that does not exist: what was found, decided, answered and closed, made from a recipe."""
