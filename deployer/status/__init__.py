"""Decides the status of a site: a row for each process, and where it differs from the inventory. Pure."""
