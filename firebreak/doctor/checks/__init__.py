"""One file, one subject of `firebreak doctor`: `check` says what is looked at, and how each thing should be."""
