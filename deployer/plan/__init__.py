"""Decides the plan: the difference between desired and observed states, as ordered waves of steps. Pure."""
