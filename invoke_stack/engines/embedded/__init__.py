"""The stack's PostgreSQL and Redis as plain processes of this machine, without Docker."""
