"""`firebreak drill`: a rehearsal through the deployed function, on a canary that is taken away again."""
