"""Everything that knows heat.conf: its grammar, its editor, what changes in it on a node, what in it is secret."""
