"""Light doors open without the heavy rooms: no TensorFlow, Keras or NumPy where none is needed."""

import json
import subprocess
import sys

import pytest

HEAVY = {
    "tensorflow",
    "keras",
    "numpy",
    "sklearn",
    "PIL",
    "ai_edge_litert",
    "albumentations",
    "cv2",
    "matplotlib",
    "optuna",
}


def loaded_by(code: str) -> set[str]:
    """Run code in a fresh interpreter and return the top-level modules it loaded."""
    report = f"import sys, json\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    output = subprocess.run([sys.executable, "-c", report], check=True, capture_output=True, text=True).stdout
    return {name.partition(".")[0] for name in json.loads(output.splitlines()[-1])}


@pytest.mark.parametrize(
    "code",
    [
        "import tfxfer",
        "import tfxfer; tfxfer.BACKBONES['micro']",
        "import tfxfer; tfxfer.find_backbones(max_macs='400M', sort='top1')",
        "import tfxfer; tfxfer.POLICIES['medium']",
        "import tfxfer; tfxfer.SettingError",
        "import tfxfer; assert not tfxfer.Recipe().writable().lacks",
        "from click.testing import CliRunner\nfrom tfxfer.cli.main import tfxfer_command\n"
        "assert CliRunner().invoke(tfxfer_command, ['--help']).exit_code == 0",
        "from click.testing import CliRunner\nfrom tfxfer.cli.main import tfxfer_command\n"
        "assert CliRunner().invoke(tfxfer_command, ['train', '--help']).exit_code == 0",
        "from click.testing import CliRunner\nfrom tfxfer.cli.main import tfxfer_command\n"
        "assert CliRunner().invoke(tfxfer_command, ['augment', '--help']).exit_code == 0",
        "from click.testing import CliRunner\nfrom tfxfer.cli.main import tfxfer_command\n"
        "assert CliRunner().invoke(tfxfer_command, ['audit', '--help']).exit_code == 0",
        "from click.testing import CliRunner\nfrom tfxfer.cli.main import tfxfer_command\n"
        "assert CliRunner().invoke(tfxfer_command, ['search', '--help']).exit_code == 0",
        "from click.testing import CliRunner\nfrom tfxfer.cli.main import tfxfer_command\n"
        "assert CliRunner().invoke(tfxfer_command, ['explain', '--help']).exit_code == 0",
        "from click.testing import CliRunner\nfrom tfxfer.cli.main import tfxfer_command\n"
        "assert CliRunner().invoke(tfxfer_command, ['cache']).exit_code == 0",
        "from click.testing import CliRunner\nfrom tfxfer.cli.main import tfxfer_command\n"
        "limits = ['--max-macs', '400M', '--sort', 'top1']\n"
        "assert CliRunner().invoke(tfxfer_command, ['backbones', *limits]).exit_code == 0",
    ],
    ids=[
        "import",
        "backbones",
        "finding",
        "policies",
        "errors",
        "recipes",
        "help",
        "train help",
        "augment help",
        "audit help",
        "search help",
        "explain help",
        "cache command",
        "backbones command",
    ],
)
def test_nothing_heavy_is_loaded(code):
    assert not loaded_by(code) & HEAVY


def test_building_imports_no_keras_hub_unasked():
    code = "import tfxfer.backbones.forms, tfxfer; tfxfer.build(classes=2, backbone='micro', image_size=32)"
    assert not loaded_by(code) & {"keras_hub", "kagglehub"}


def test_listing_a_folder_and_predicting_need_no_tensorflow():
    loaded = loaded_by("import tfxfer; tfxfer.from_folder; tfxfer.load; tfxfer.Prediction")
    assert not loaded & {"tensorflow", "keras", "sklearn", "albumentations"}


def test_reading_what_a_file_says_needs_nothing_and_testing_it_no_tensorflow():
    assert not loaded_by("import tfxfer; tfxfer.read_metadata") & HEAVY
    assert not loaded_by("import tfxfer; tfxfer.self_test") & {
        "tensorflow",
        "keras",
        "sklearn",
        "albumentations",
    }


def test_a_preview_needs_no_tensorflow(shared_pictures, tmp_path):
    sheet = str(tmp_path / "sheet.png")
    loaded = loaded_by(f"import tfxfer; tfxfer.preview({str(shared_pictures)!r}, 'strong', to={sheet!r})")
    assert "albumentations" in loaded
    assert not loaded & {"tensorflow", "keras", "sklearn", "matplotlib"}


def test_an_audit_needs_no_tensorflow(shared_pictures):
    loaded = loaded_by(
        "from click.testing import CliRunner\nfrom tfxfer.cli.main import tfxfer_command\n"
        f"arguments = ['audit', {str(shared_pictures)!r}, '--fresh', '--near-bits', '0']\n"
        "assert CliRunner().invoke(tfxfer_command, arguments).exit_code == 0"
    )
    assert "PIL" in loaded
    assert not loaded & {"tensorflow", "keras", "sklearn", "albumentations", "matplotlib"}
