"""Bringing the stack up, down and looking at it."""
