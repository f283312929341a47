"""Compose files: finding them, reading them, calling Compose."""
