"""The console: pages, the API and access. Rendered by the server; htmx keeps it live."""
