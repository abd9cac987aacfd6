"""What makes an incident go on: a person's answer, an expiry, a sweep, a look at what is contained."""
