"""What runs on the server: the standard library only, and relative imports, because it is copied there."""
