from .budget import Usage as Usage
from .budget import affordable_views as affordable_views
from .budget import clear_cache as clear_cache
from .budget import make_room as make_room
from .budget import usage as usage
from .cut import Cut as Cut
from .cut import find_cut as find_cut
from .cut import multiply_adds as multiply_adds
