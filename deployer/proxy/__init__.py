"""Everything that knows HAProxy: the values of its configuration and its runtime socket."""
