"""Remote deployment against a real sshd."""
