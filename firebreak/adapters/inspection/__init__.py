"""A deployment read from outside, for people who look after it; nothing of it is deployed."""
