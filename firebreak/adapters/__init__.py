"""The only importers of Google's clients and of vt: they translate, retry and hold deadlines."""

from firebreak.adapters.part_by_part import load_part_by_part

load_part_by_part()
