"""What must not be shown or kept: secrets by shape, by name and by place, and the one road that takes them out."""
