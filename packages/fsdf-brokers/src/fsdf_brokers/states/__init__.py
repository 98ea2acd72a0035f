"""State stores on servers and files."""
