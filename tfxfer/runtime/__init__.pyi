from .digests import file_sha256 as file_sha256
from .digests import folder_sha256 as folder_sha256
from .seeding import set_seed as set_seed
from .streams import native_chatter_hidden as native_chatter_hidden
from .targets import OWN_MARK as OWN_MARK
from .targets import check_target as check_target
from .targets import whole_file as whole_file
from .targets import whole_folder as whole_folder
