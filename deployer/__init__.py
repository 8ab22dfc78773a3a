"""Scales out the control plane of OpenStack Heat from a short inventory of hosts."""

__version__ = "0.1.0"
