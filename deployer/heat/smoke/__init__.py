"""Proof from outside: Heat is used through the proxy, as a client would."""
