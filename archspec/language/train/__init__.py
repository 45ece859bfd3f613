"""The `train:` section: how a network is trained, checked like the rest of a spec.

model         what the models here have in common; types of values
data_sets     what is known of each data set
basics        the keys that open a recipe
schedule      the learning rate over the epochs
regularisers  one module each, with all that belongs to it
recipe        the section
conflicts     keys that do not go together
words         what a key takes, and what is wrong with a value, in words

A spec without the section never imports this package.
"""

from archspec.language.train.data_sets import ANY_TARGET, DATA_SETS, DataSet
from archspec.language.train.recipe import EXAMPLE, Train, train_of
from archspec.language.train.regularisers import REGULARISERS, Places, Regulariser
from archspec.language.train.schedule import Schedule

__all__ = [
    "ANY_TARGET",
    "DATA_SETS",
    "EXAMPLE",
    "REGULARISERS",
    "DataSet",
    "Places",
    "Regulariser",
    "Schedule",
    "Train",
    "train_of",
]
