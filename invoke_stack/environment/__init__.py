"""Layered env files: reading, resolving and handing over."""
