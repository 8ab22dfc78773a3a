"""How results look: tables, colours, wrapped text. No code here reaches a host."""
