"""Side by side with what a user would use instead: same hosts, same work, same run. Method: docs/benchmarks.md."""
