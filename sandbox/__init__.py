"""A local Google Cloud and VirusTotal that speak the real wire protocols to the real, unmodified clients."""
