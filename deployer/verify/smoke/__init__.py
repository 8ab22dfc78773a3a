"""Uses Heat as a client does: a stack through the proxy, CFN, the balance of requests, the list of engines."""
