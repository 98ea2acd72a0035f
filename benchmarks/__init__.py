"""Benchmarks: fsdf, its peers and loops written by hand, side by side in one run."""
