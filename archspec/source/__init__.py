"""YAML text as plain data, and a document that knows where each value of it is written.

document   data with the line of every path in it
files      bytes -> text
folder     the file system as one run sees it
reader     text -> document, within limits: the file may be a stranger's
scalars    what an unquoted word means
findings   what is wrong in a file that YAML can read
syntax     what is wrong in one that it cannot, in plain words
extends    a spec laid over the one it extends
"""
