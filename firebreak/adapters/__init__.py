"""The only importers of Google's clients: they translate, retry and hold deadlines."""
