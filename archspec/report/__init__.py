"""A network, or several, as one page of HTML. No request leaves it; it reads without a script.

numbers     numbers and shapes as they are shown
layers      the table of layers; equal blocks are folded
plots       plots as SVG
spec_lines  the resolved spec and its blocks, line by line, with places
defaults    what a spec does not say
links       lines of the generated source -> the places that made them
panes       spec and source, side by side
findings    what lint finds
view        all that the template prints
page        the page
"""

from archspec.report.page import page
from archspec.report.view import Subject

__all__ = ["Subject", "page"]
