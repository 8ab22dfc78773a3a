"""Many clients at work while a site changes: nothing may fail, nothing may arrive twice. Method: docs/benchmarks.md."""
