"""Heat used as a client uses it: a stack through the proxy, CFN, the balance of requests, the list of engines."""
