"""The difference between desired and observed state, as ordered waves of steps. Pure."""
