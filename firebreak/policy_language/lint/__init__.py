"""What is wrong with policies that load."""
