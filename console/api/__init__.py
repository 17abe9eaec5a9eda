"""The HTTP API under /api/v1: all that the console does, for programs.

It is a WSGI application of its own, so that every error of it is a problem document, whatever the application it is
mounted in does about errors: `console.api.app.mount(console, parts)`.
"""
