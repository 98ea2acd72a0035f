"""The real servers that tests use: how to get them (`hatch run servers`), how to start them (fixtures)."""
