"""The vendors: a folder each, and what they have in common: the port of handlers, outcomes, failures, HTTP."""
