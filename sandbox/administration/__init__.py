"""What a deployment of Firebreak itself consists of, as Google's administrative APIs show it."""
