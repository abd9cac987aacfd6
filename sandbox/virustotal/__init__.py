"""VirusTotal's API, played locally."""
