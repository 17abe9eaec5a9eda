"""What the ingress publishes of itself: OpenAPI, AsyncAPI and JSON Schemas, made of the contracts it checks by."""
