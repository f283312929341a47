"""What runs the stack: reading Docker's state over its API."""
