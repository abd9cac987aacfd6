from __future__ import annotations

from hypothesis import settings

# Property tests know no deadline: machines that run them are busy. What they draw is the same for everybody.
settings.register_profile("firebreak", deadline=None, derandomize=True)
settings.load_profile("firebreak")
