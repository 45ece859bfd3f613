"""A network as papers draw it: stages, blocks with their shortcuts, sizes, and costs.

steps    boxes, blocks, and branches with their join
flow     a network as a list of steps
graph    the rows of the picture, with repeats collapsed, and the rows that each one reads
blocks   the blocks that get a panel
page     the layout of rows, panels, and legend; `spine` and `panel` draw the first two
drawing  shapes with positions, and the width of text
words    the names of layers
svg      the picture as a string
"""

from archspec.picture.svg import svg

__all__ = ["svg"]
