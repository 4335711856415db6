"""One module a trainer; the registry finds them by scanning this folder."""
