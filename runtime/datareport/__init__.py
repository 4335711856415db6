"""The report on data: counts, tokens, and what is wrong with the rows."""
