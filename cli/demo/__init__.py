"""The demo that `bellhop up` runs: its folder, its processes, its sample webhooks."""
