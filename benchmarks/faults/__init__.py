"""Faults on real hosts, each counted: how often it was made, and what held. Told in docs/reliability.md."""
