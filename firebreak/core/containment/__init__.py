"""Plans, guards, and what is contained: the values between a decision and a write."""
