"""What people are told of an incident: one message from its record, and the limits of the places that show it."""
