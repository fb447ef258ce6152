"""The unit file: systemd can read it, it gives little away, and it starts what is there."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parent.parent / "systemd" / "boltwatch.service"
needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")


@needs_systemd
def test_systemd_finds_no_fault_in_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "boltwatch.service"
    text = UNIT.read_text(encoding="utf-8")
    # verify wants the program to be there
    unit.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.M), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
def test_the_unit_leaves_little_exposed() -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", str(UNIT)], capture_output=True, text=True, check=False
    )
    exposure = re.search(r"exposure level for boltwatch.service: ([\d.]+)", done.stdout)
    assert exposure
    assert float(exposure[1]) <= 1.5


def test_the_unit_speaks_the_programs_own_protocol() -> None:
    text = UNIT.read_text(encoding="utf-8")
    assert "\nType=notify\n" in text
    assert "\nWatchdogSec=" in text
    assert re.search(r"^ExecStart=\S+/boltwatch --config \S+ run$", text, flags=re.M)
    assert "\nRestartPreventExitStatus=2\n" in text
