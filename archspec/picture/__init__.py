"""A network as papers draw it: stages, blocks with their shortcuts, sizes, and costs.

flow     a network as steps that follow each other, branch and join
graph    rows: repeats collapsed, and what reads what
blocks   which blocks are opened
page     rows, panels and legend put together; `spine` and `panel` draw them
drawing  shapes with places, and how wide a text is
words    what a layer is called
svg      a picture as text
"""

from archspec.picture.svg import svg

__all__ = ["svg"]
