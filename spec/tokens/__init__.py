"""What of a row is trained, in characters and then in tokens: the definition that a bundle's prepare.py follows."""
