"""For authors of adapters and controls: a manual clock and the conformance suites.

Needs pytest (`pip install fsdf-core[testing]`).
"""

import pytest

for _suite in ("conformance", "state_conformance", "state_sharing"):
    pytest.register_assert_rewrite(f"fsdf_core.testing.{_suite}")
