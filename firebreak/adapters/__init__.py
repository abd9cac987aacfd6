"""The only importers of Google's clients and of vt: they translate, retry and hold deadlines."""
