"""The stack's cache: Redis and its relatives, reached in their container."""
