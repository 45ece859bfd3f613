"""What is wrong in a layer, and what to write instead; imported where something is.

arguments  of an op: its pydantic model tells all at once
layers     a layer that has no head, or several
indented   what stands beside a key instead of below it
elsewhere  what other frameworks call our ops
"""
