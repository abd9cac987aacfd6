"""Google's APIs but for Cloud Run's: the only importers of their clients."""
