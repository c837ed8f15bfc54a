"""The shipped script of Vega: what it is built from, and that a new build has its bytes."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
TOOLS = ROOT / "tools" / "vega"
PAGE = ROOT / "pipeline" / "report" / "page"
SCRIPT = (PAGE / "vega.js").read_text(encoding="utf-8")


def test_its_header_names_the_versions_it_is_built_from() -> None:
    versions = json.loads((TOOLS / "package.json").read_text())["devDependencies"]
    header, _, _ = SCRIPT.partition("*/")
    assert dict(re.findall(r"([a-z-]+) (\d+\.\d+\.\d+)", header)) == versions
    locked = json.loads((TOOLS / "package-lock.json").read_text())["packages"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in versions} == versions


def test_its_licences_lie_beside_it() -> None:
    locked = json.loads((TOOLS / "package-lock.json").read_text())["packages"]
    licences = (PAGE / "vega.LICENSES").read_text(encoding="utf-8")
    bundled = re.findall(r"^([a-z0-9-]+) (\d+\.\d+\.\d+) \((.+)\)$", licences, re.M)
    assert {"vega-lite", "vega-view", "vega-tooltip", "d3-scale"} <= {name for name, *_ in bundled}
    for name, version, licence in bundled:
        package = locked[f"node_modules/{name}"]
        assert (package["version"], package["license"]) == (version, licence)
        assert licence in SCRIPT.partition("*/")[0]


def test_it_is_small_and_cannot_end_its_script_element() -> None:
    assert len(SCRIPT.encode()) < 700_000
    assert not re.search("</script|<!--", SCRIPT, re.I)


def test_its_lock_file_pins_contents_and_names_no_registry() -> None:
    locked = json.loads((TOOLS / "package-lock.json").read_text())["packages"]
    packages = {name: package for name, package in locked.items() if name}
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not any("resolved" in package for package in packages.values())


def test_building_it_again_gives_the_same_bytes(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or not (TOOLS / "node_modules").is_dir():
        pytest.skip("Node.js or its packages are not installed (make vega)")
    subprocess.run([node, "build.js", tmp_path], cwd=TOOLS, check=True, capture_output=True)
    for name in ("vega.js", "vega.LICENSES"):
        assert (tmp_path / name).read_bytes() == (PAGE / name).read_bytes()
