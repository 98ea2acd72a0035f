"""Controls for fsdf: whether, when and how a task runs."""

from fsdf_control.rate_limit import RateLimit
from fsdf_control.requeue import Requeue
from fsdf_control.retry import Retry

__all__ = ["RateLimit", "Requeue", "Retry"]
__version__ = "0.1.0"
