"""What `fsdf doctor` looks at."""
