"""Suggestions: what to write instead of a mistake.

layers     a layer without a layer type, or with several
indented   keys at the level of another key instead of inside it
unknown    a name that is not defined
elsewhere  other frameworks' names of our ops
"""
