"""Migrations whatever the tool: which one a project uses, on which database, in which steps."""
