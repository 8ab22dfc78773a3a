"""Checks before the first change that hosts, TLS, logins and sizes are ready: finds every problem at once."""
