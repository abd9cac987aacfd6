"""What the response needs of the world, as narrow protocols; adapters fulfil them."""
