"""Applies a plan under the site lock: stages it, runs its waves, reverts failures, records the result on every host."""
