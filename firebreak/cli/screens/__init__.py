"""What people see: one screen a file, colour and tables on a terminal, plain lines in a pipe."""
