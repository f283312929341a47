"""Parity: what production has and the local stack has not, with the line to write."""
