"""What a drill writes and measures, without a clock or a client. Nothing of it is loaded by the functions."""
