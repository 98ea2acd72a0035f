"""What pages and API both do: one module a subject, without HTTP."""
