"""Dockerfiles: read as BuildKit reads them, with the line of everything."""
