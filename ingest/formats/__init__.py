"""How upstreams write: each format turns one decoded body into events in our own words. Pure functions, no I/O."""
