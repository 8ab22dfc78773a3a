"""The programs of docs/ are imported by their names, as they import each other."""

import sys

import sites

sys.path.insert(0, str(sites.ROOT / "docs"))
