"""What is written into a project: env files from their templates, and ignore lines."""
