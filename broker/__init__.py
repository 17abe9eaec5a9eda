"""The queues, behind one port: RabbitMQ, and an embedded broker in one file."""
