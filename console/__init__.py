"""The console: what people look at, and act in. Server-rendered; htmx keeps it live."""
