from .cut import Cut as Cut
from .cut import find_cut as find_cut
from .cut import multiply_adds as multiply_adds
