"""Images: building them, what they weigh, and what is inside."""
