"""What people type: `nommer` and the two daemons."""
