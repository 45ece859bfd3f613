"""Spec -> expanded network: every use of every block, with sizes and shapes.

The expansion of a block is a pure function of its key (`calls.BlockKey`), so equal uses share
one result, within a network and between networks (`archspec.memo`). Effects and findings are part
of the result.

budget     the cost limits; effects
context    what layers can see from elsewhere; layers given for parts
builder    a class under construction
scope      the names available to an expression
tensors    layers that read and name tensors
arguments  the arguments of an op
naming     attribute names; completing a class
calls      uses of blocks: their arguments, the scope of their body, their outputs
parts      the layers given for a part
layers     layers in order: ops, parts, blocks, attributes
residual, branches, interpolation  the combinators
stages     one stage
network    stem, stages, and head
outputs    the outputs of the network
living     classes without layers whose outputs are unused
"""

from archspec.expand.network import expand_network

__all__ = ["expand_network"]
