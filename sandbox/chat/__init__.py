"""Chat, paging and a program behind a webhook, as strict as the real ones where those are documented."""
