"""Cloud Run's Admin API, played locally over its real protocol."""
