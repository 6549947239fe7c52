"""The tests, which say the same on a machine that has much else to do.

``EXAMPLES`` in the environment asks for more examples of each law than the suite takes.
"""

import os
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.configuration import set_hypothesis_home_dir

# What it finds out about Unicode and about the sources takes seconds, and is kept there.
set_hypothesis_home_dir(Path(__file__).parent.parent / ".hypothesis")
EXAMPLES = int(os.environ.get("EXAMPLES", "25"))
"""Of each law."""

settings.register_profile(
    "any machine",
    deadline=None,
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("any machine")
