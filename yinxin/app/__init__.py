"""Composition: the command line, the services, the demo. Nothing imports this package."""
