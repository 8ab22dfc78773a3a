"""Everything that knows Heat: its configuration, its releases, its processes and its engines."""
