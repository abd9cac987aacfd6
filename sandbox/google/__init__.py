"""Google's other APIs, played locally: IAM, Logging, Pub/Sub, Storage."""
