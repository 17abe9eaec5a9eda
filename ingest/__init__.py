"""The public HTTP side: webhooks in, confirmed by the broker before they are answered."""
