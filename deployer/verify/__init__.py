"""Proves a site from outside: the acceptance suite on every node, then a smoke test through the proxy."""
