"""How much memory a run takes, roughly."""
