"""What a command does at the terminal: options, prompts, tables, JSON."""
