"""The `train:` section: how a network is trained, checked like the rest of a spec.

values     what a key takes: numbers, words, flags
data_sets  what is known of each data set
forms      values with several ways to write them: schedule, noise, augment
recipe     the section
together   keys that do not belong together

A spec without the section never imports this package.
"""

from archspec.language.train.data_sets import ANY_TARGET, DATA_SETS, DataSet
from archspec.language.train.forms import Augment, Noise, RandAugment, Schedule
from archspec.language.train.recipe import EXAMPLE, LOSSES, OPTIMIZERS, Train, train_of

__all__ = [
    "ANY_TARGET",
    "DATA_SETS",
    "EXAMPLE",
    "LOSSES",
    "OPTIMIZERS",
    "Augment",
    "DataSet",
    "Noise",
    "RandAugment",
    "Schedule",
    "Train",
    "train_of",
]
