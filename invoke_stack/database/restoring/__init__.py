"""From a file to a new database: what it is, what it needs, whether it fits, how it gets in."""
