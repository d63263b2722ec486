"""Storage tests of this room run on both databases."""

from world.databases import database, database_url, postgresql

__all__ = ["database", "database_url", "postgresql"]
