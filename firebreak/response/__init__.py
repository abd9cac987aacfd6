"""The stages of an incident, in the order in which they happen: decide, question, contain, release, announce."""
