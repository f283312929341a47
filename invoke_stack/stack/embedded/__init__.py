"""What `stack.*` does where the embedded engine runs the stack."""
