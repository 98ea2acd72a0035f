"""The pool of workers on a Ray cluster: for work that needs more than one machine's cores."""

from fsdf_pools.ray_pool.cluster import cluster_cpus
from fsdf_pools.ray_pool.pool import RayPool

__all__ = ["RayPool", "cluster_cpus"]
