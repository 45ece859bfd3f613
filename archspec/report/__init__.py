"""One or more networks as a page of HTML that makes no request and can be read without JavaScript.

numbers     numbers and shapes as text
layers      the table of layers; equal blocks are folded
plots       plots as SVG
spec_lines  the resolved spec and its blocks, line by line, with locations
defaults    values that a spec does not set
links       lines of the generated source -> the lines of the spec they come from
parts       the lines of the generated source that construct or apply each layer
panes       spec and source, side by side
findings    lint findings
view        everything the template prints
page        the page
"""

from archspec.report.page import page
from archspec.report.view import Subject

__all__ = ["Subject", "page"]
