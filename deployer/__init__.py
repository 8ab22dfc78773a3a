"""Scales out the control plane of OpenStack Heat from a short inventory of hosts."""
