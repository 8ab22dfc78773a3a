"""Where what happens goes: the live view, plain lines, JSON Lines, the log of a command; and their schema."""
