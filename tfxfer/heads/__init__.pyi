from .focal import SparseFocalCrossentropy as SparseFocalCrossentropy
from .multi_label import MultiLabel as MultiLabel
from .regression import Regression as Regression
from .single_label import SingleLabel as SingleLabel
from .tasks import Head as Head
from .tasks import head_for as head_for
