"""What the operator wants: the inventory file, its schema, its reader and its editor."""
