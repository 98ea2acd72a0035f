"""A long run with random kills, reloads and rescales; not part of the default run."""
