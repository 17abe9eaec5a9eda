"""OpenTelemetry, beside Sentry and Prometheus: imported only where an endpoint is set."""
