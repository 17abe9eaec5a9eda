"""RabbitMQ: pika publishes, kombu declares and consumes."""
