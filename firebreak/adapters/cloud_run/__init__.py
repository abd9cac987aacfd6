"""Cloud Run's Admin API: services, worker pools, jobs, and who may invoke them."""
