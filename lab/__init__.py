"""Throw-away hosts of this machine, for the demo and the tests; the deployer never imports this package."""
