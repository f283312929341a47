"""What keeps a stack from working on this machine, each with the way out: `stack.doctor`."""
