"""RabbitMQ as the bus: docs/messaging.md. Import `RabbitBus` from `chassis.messaging.rabbitmq.bus`."""
