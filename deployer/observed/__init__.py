"""Observes every host: what it has and runs now, what it has recorded, what resources it has available."""
