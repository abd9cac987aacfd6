"""Where the ledger and the evidence are kept: SQLite, Firestore, a folder, a bucket."""
