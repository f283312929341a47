"""The rules of `image.check`, a module for each family."""
