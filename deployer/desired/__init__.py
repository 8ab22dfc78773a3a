"""Decides what every host should have, from the inventory and an observation of the hosts."""
