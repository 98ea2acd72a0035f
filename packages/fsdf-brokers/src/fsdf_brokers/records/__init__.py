"""Record stores on servers and files."""
