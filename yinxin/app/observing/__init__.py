"""What an operator sees of a running service: logs, health, readiness and metrics; never whom it is about."""
