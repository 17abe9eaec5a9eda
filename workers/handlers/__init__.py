"""One handler a route: what an event means there, as vendor calls."""
