"""YAML text as plain data, in a document that knows where each value is written.

document   data with the lines of every path in it
files      bytes -> text
folder     the file system as one run sees it
reader     text -> document, within limits, because files may be untrusted
scalars    the meaning of an unquoted word
findings   findings in a file that YAML can read
syntax     findings in a file that it cannot read, in plain words
extends    a spec merged into its base spec
"""
