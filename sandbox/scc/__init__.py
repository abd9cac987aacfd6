"""Security Command Center, played locally: findings, their filters, notifications and marks."""
