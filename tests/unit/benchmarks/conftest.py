"""The benchmarks lie beside the package, where pytest does not look by itself."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))
