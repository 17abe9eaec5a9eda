"""The vendors' clients: their methods, their words for failing, and what each means."""
