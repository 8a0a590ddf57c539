"""siphon: one searchable archive of every AI coding session, over all machines and all tools."""
