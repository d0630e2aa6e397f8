"""What is read: which parts of which sources, and several of them as one film."""
