"""One driver a system; each runs in its own process, in that system's own environment.

Nothing here may import what the standard library does not hold, except a driver its own system.
"""
