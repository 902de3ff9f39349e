"""What comes back: hard cases carried by several tools, judged by the tests' own comparer."""

import sys
from pathlib import Path

# The servers and the comparer are the tests'.
sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
