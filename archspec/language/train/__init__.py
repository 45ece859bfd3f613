"""The `train` section: how a network is trained, checked like the rest of a spec.

model         base classes of the models; types of values
data_sets     the facts known about each data set
basics        the keys at the start of a recipe
schedule      the learning rate over the epochs
regularisers  one module per regularizer, with everything about it
recipe        the section
conflicts     keys that cannot be combined
words         the values that a key accepts, and errors about them, in words
"""

from archspec.language.train.data_sets import (
    ANY_TARGET as ANY_TARGET,
    DATA_SETS as DATA_SETS,
    DataSet as DataSet,
)
from archspec.language.train.recipe import EXAMPLE as EXAMPLE, Train as Train, train_of as train_of
from archspec.language.train.regularisers import (
    REGULARISERS as REGULARISERS,
    Places as Places,
    Regulariser as Regulariser,
)
from archspec.language.train.schedule import Schedule as Schedule
