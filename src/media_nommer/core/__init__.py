"""The words that both daemons share; it names no technology."""
