"""The hosts, and what each should have, as benchmarks/same_state.py wrote them down."""

import json
import os
from pathlib import Path

hosts = list(json.loads(Path(os.environ["BENCHMARK_STATE"]).read_text()).items())
