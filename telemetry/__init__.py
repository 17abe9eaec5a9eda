"""What Bellhop tells of itself: logs, metrics, traces, Sentry, health."""
