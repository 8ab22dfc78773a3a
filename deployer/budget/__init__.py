"""Whether a site can bear what it is to grow to, and whether its timeouts agree: a room for each kind of limit."""
