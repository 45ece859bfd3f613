"""Recipes of papers and libraries: each curve and rule against the formula or the code it is from."""
