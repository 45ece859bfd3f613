"""What is wrong in a layer, and what to write instead; imported where something is.

arguments  of an op: its pydantic model tells all at once
layers     a layer that has no head, or several
elsewhere  what other frameworks call our ops
"""
