"""A network, or several, as one page of HTML. No request leaves it; it reads without a script.

numbers     numbers and shapes as text
layers      the table of layers; equal blocks are folded
plots       plots as SVG
spec_lines  the resolved spec and its blocks, line by line, with locations
defaults    values that a spec does not set
links       lines of the generated source -> the lines of the spec that made them
parts       the lines of the generated source that make each layer
panes       spec and source, side by side
findings    lint findings
view        everything the template prints
page        the page
"""

from archspec.report.page import page
from archspec.report.view import Subject

__all__ = ["Subject", "page"]
