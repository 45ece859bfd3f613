"""What to write instead of what is wrong.

layers     a layer that has no head, or several
indented   what stands beside a key instead of below it
unknown    a name that means nothing
elsewhere  what other frameworks call our ops
"""
