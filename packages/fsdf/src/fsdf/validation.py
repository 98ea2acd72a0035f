"""One clear error instead of pydantic's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsdf_core.errors import ConfigurationError, FsdfError

if TYPE_CHECKING:
    from pydantic import ValidationError


def clear_error(error: ValidationError, owner: str) -> FsdfError:
    """Return the first error of our own, or one that names each parameter and its fault.

    Args:
        error: what pydantic raised.
        owner: what the parameters belong to.
    """
    faults = []
    for fault in error.errors():
        cause = fault.get("ctx", {}).get("error")
        if isinstance(cause, FsdfError):
            return cause
        faults.append(f"{'.'.join(map(str, fault['loc'][:1]))}: {fault['msg']}")
    return ConfigurationError(f"{owner} is not valid: {'; '.join(faults)}")
