"""What the vault keeps: redacted copies of originals and the manifest over them."""
