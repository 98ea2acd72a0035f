"""For authors of adapters and controls: a manual clock and the conformance suite.

Needs pytest (`pip install fsdf-core[testing]`).
"""

import pytest

pytest.register_assert_rewrite("fsdf_core.testing.conformance")
