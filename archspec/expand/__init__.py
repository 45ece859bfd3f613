"""Spec -> expanded network: every use of every block opened, with sizes and shapes.

A block's expansion is a pure function of what it is given (`calls.BlockKey`), so equal uses share
one result, within a network and between networks (`archspec.memo`). What it has to say besides,
its effects and findings, is part of the result.

budget     what it may cost; effects
context    what layers see that is written elsewhere; layers that fill parts
builder    a class in the making
scope      what an expression sees
tensors    layers that read and name tensors
arguments  the arguments of an op
naming     attribute names; a class in the making closed
calls      uses of blocks: what they are given, what their body sees, what leaves them
parts      the layers in place of a part
layers     layers one after the other: ops, parts, blocks, attributes
residual, branches, interpolation  the combinators
stages     one stage
network    stem, stages and head
outputs    what the network gives
living     classes without what leads to none of their results
"""

from archspec.expand.network import expand_network

__all__ = ["expand_network"]
