from .comparing import ComparedModel as ComparedModel
from .comparing import PairedDifference as PairedDifference
from .comparing import RunComparison as RunComparison
from .comparing import compare as compare
from .facts import gather as gather
from .pages import REPORT_FILES as REPORT_FILES
from .writing import add_report as add_report
from .writing import write_report as write_report
