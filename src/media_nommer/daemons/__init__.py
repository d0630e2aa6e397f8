"""The two daemons as processes: what they are made of meets their settings here."""
