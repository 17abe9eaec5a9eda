"""Private nodes of what Bellhop stands on, which a drill may stop, kill, freeze and starve. Nothing here needs root."""
