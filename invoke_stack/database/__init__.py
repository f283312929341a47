"""The stack's database: targets, providers, backups."""
