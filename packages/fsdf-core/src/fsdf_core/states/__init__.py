"""State stores that need nothing but the interpreter."""
