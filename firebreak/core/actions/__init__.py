"""What a containment action is, and what its pure edit may look at."""
