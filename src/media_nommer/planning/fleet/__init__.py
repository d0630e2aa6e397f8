"""How many nodes, what they do with their time, and what they cost."""
