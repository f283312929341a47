"""Readers: one vendor's files to vendor-neutral declarations."""
